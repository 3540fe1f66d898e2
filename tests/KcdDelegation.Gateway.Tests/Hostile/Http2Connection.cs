using System.Buffers.Binary;
using System.Globalization;
using System.Net.Security;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>A connection of HTTP/2 (RFC 9113) that sends any frames. Header fields are literals without compression (RFC 7541
/// §6.2.2).</summary>
internal sealed class Http2Connection : IAsyncDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte Continuation = 9;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
    private const byte Ping = 6;
    private const byte GoAway = 7;
    private const int HeaderLength = 9;

    private readonly SslStream _stream;

    private Http2Connection(SslStream stream) => _stream = stream;

    /// <summary>Opens a connection to the gateway with the preface and settings.</summary>
    /// <param name="gateway">The gateway.</param>
    /// <param name="settings">The settings (RFC 9113 §6.5.1).</param>
    public static async Task<Http2Connection> OpenAsync(TestGateway gateway, params byte[] settings)
    {
        var stream = await gateway.ConnectAsync("wiki.contoso.test", SslApplicationProtocol.Http2);
        stream.NegotiatedApplicationProtocol.ShouldBe(SslApplicationProtocol.Http2);
        var connection = new Http2Connection(stream);
        await stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await connection.SendAsync(Settings, 0, 0, settings);
        return connection;
    }

    /// <summary>Encodes header fields.</summary>
    public static byte[] Encode(IEnumerable<(string Name, string Value)> fields)
    {
        var block = new List<byte>();
        foreach (var (name, value) in fields)
        {
            block.Add(0);
            AddText(block, name);
            AddText(block, value);
        }
        return [.. block];
    }

    public async Task SendAsync(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[HeaderLength + payload.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, payload.Length << 8);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, HeaderLength);
        await _stream.WriteAsync(frame, TestContext.Current.CancellationToken);
    }

    /// <summary>Sends a request without a body, and returns how it ended.</summary>
    public async Task<string> RequestAsync(int stream, IEnumerable<(string Name, string Value)> fields)
    {
        await SendAsync(Headers, EndHeaders | EndStream, stream, Encode(fields));
        return await ReadAsync(stream);
    }

    /// <summary>Reads until a stream ends: its status code, <c>reset</c> with the code of the stream, <c>goaway</c> with that of the
    /// connection, <c>closed</c>, or <c>open</c> after the time.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="seconds">The time.</param>
    /// <param name="untilEnd">Whether a head is not the end: <c>end</c> stands for that of a whole body.</param>
    public async Task<string> ReadAsync(int stream, int seconds = 10, bool untilEnd = false)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            while (true)
            {
                var header = new byte[HeaderLength];
                await _stream.ReadExactlyAsync(header, timeout.Token);
                var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header) >> 8 & 0xffffff];
                await _stream.ReadExactlyAsync(payload, timeout.Token);
                var id = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(5));
                switch (header[3])
                {
                    case Settings or Ping when (header[4] & 1) == 0:
                        await SendAsync(header[3], 1, 0, header[3] == Ping ? payload : []);
                        break;
                    case GoAway when BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(4)) is not 0 and var code:
                        return FormattableString.Invariant($"goaway {code}");
                    case Reset when id == stream:
                        return FormattableString.Invariant($"reset {BinaryPrimitives.ReadInt32BigEndian(payload)}");
                    case Headers or Data when id == stream && untilEnd && (header[4] & EndStream) != 0:
                        return "end";
                    case Headers when id == stream && !untilEnd:
                        return ReadStatus(payload);
                    default:
                        break;
                }
            }
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            return "open";
        }
        catch (IOException)
        {
            return "closed";
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    private static void AddText(List<byte> block, string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        var rest = bytes.Length;
        if (rest < 127)
        {
            block.Add((byte)rest);
        }
        else
        {
            block.Add(127);
            for (rest -= 127; rest >= 128; rest >>= 7)
                block.Add((byte)(rest & 127 | 128));
            block.Add((byte)rest);
        }
        block.AddRange(bytes);
    }

    /// <summary>Reads the first field of an answer: an entry of the static table, or a literal with its name from there.</summary>
    private static string ReadStatus(byte[] block)
    {
        var start = 0;
        // A change of the table's size.
        while ((block[start] & 0xe0) == 0x20)
            start++;
        string[] known = ["200", "204", "206", "304", "400", "404", "500"];
        return (block[start] & 0x80) != 0
            ? known[(block[start] & 0x7f) - 8]
            : int.Parse(Encoding.ASCII.GetString(block, start + 2, 3), CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
    }
}
