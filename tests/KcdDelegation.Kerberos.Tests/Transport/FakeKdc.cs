using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Tests.Transport;

/// <summary>A KDC on loopback whose behavior a test sets. TCP and UDP have the same port.</summary>
internal sealed class FakeKdc : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ConcurrentBag<Task> _serving = [];

    /// <param name="port">The port, or 0 for a free one.</param>
    /// <param name="hasUdp">Whether the UDP port is open.</param>
    public FakeKdc(int port = 0, bool hasUdp = true)
    {
        while (true)
        {
            try
            {
                using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                _tcp.Bind(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)probe.LocalEndPoint!).Port));
                break;
            }
            catch (SocketException)
            {
                // The TCP port is in use. Another one is tried.
            }
        }
        _tcp.Listen();
        _serving.Add(AcceptAsync());
        if (!hasUdp)
            return;
        _udp.Bind(_tcp.LocalEndPoint!);
        _serving.Add(ReceiveAsync());
    }

    public KdcEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)_tcp.LocalEndPoint!).Port);

    public KdcEndpoint UdpEndpoint => Endpoint with { Transport = KdcTransport.Udp };

    /// <summary>Gets or sets the handler of a connection.</summary>
    public Func<Socket, CancellationToken, Task> OnConnection { get; set; } = AnswerAsync;

    /// <summary>Gets or sets a function that returns the datagrams that answer a datagram.</summary>
    public Func<byte[], IEnumerable<byte[]>> OnDatagram { get; set; } = static _ => [];

    public ConcurrentQueue<byte[]> Datagrams { get; } = [];

    public ConcurrentQueue<int> Connections { get; } = [];

    public static byte[] Answer(byte[] request) => [(byte)'+', .. request];

    public static Task AnswerAsync(Socket socket, CancellationToken cancellationToken) => ReplyAsync(socket, Answer, cancellationToken);

    public static Func<Socket, CancellationToken, Task> Error(KerberosErrorCode code) =>
        (socket, token) => ReplyAsync(socket, _ => [(byte)'E', (byte)code], token);

    public static Task GarbageAsync(Socket socket, CancellationToken cancellationToken) =>
        ReplyAsync(socket, static _ => "\u0007HTTP"u8.ToArray(), cancellationToken);

    public static Task SilenceAsync(Socket socket, CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    public static Task CloseAsync(Socket socket, CancellationToken cancellationToken)
    {
        socket.Close();
        return Task.CompletedTask;
    }

    /// <summary>Returns a handler that reads the request, sends these bytes as they are, and waits until the client closes the
    /// connection.</summary>
    public static Func<Socket, CancellationToken, Task> Raw(params byte[] bytes) => async (socket, token) =>
    {
        await ReadRequestAsync(socket, token);
        await socket.SendAsync(bytes, token);
        await socket.ReceiveAsync(new byte[1], token);
    };

    /// <summary>Announces a reply and sends one byte of it every few milliseconds, without end.</summary>
    public static async Task DripAsync(Socket socket, CancellationToken cancellationToken)
    {
        await ReadRequestAsync(socket, cancellationToken);
        await socket.SendAsync(new byte[] { 0, 0, 0xff, 0xff }, cancellationToken);
        while (true)
        {
            await socket.SendAsync(new byte[1], cancellationToken);
            await Task.Delay(10, cancellationToken);
        }
    }

    /// <summary>Passes a request to another KDC and its reply back.</summary>
    public static async Task ForwardAsync(Socket socket, byte[] request, KdcEndpoint kdc, CancellationToken cancellationToken)
    {
        using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await upstream.ConnectAsync(IPAddress.Parse(kdc.Host), kdc.Port, cancellationToken);
        await SendFramedAsync(upstream, request, cancellationToken);
        await SendFramedAsync(socket, await ReadRequestAsync(upstream, cancellationToken), cancellationToken);
    }

    public static async Task<byte[]> ReadRequestAsync(Socket socket, CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        var header = new byte[4];
        await stream.ReadExactlyAsync(header, cancellationToken);
        var request = new byte[BinaryPrimitives.ReadInt32BigEndian(header)];
        await stream.ReadExactlyAsync(request, cancellationToken);
        return request;
    }

    /// <summary>Returns a loopback port that nothing listens on.</summary>
    public static async Task<KdcEndpoint> DeadAsync()
    {
        await using var kdc = new FakeKdc();
        return kdc.Endpoint;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _tcp.Dispose();
        _udp.Dispose();
        await ((Task)Task.WhenAll(_serving)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static async Task ReplyAsync(Socket socket, Func<byte[], byte[]> answer, CancellationToken cancellationToken)
    {
        await SendFramedAsync(socket, answer(await ReadRequestAsync(socket, cancellationToken)), cancellationToken);
    }

    private static async Task SendFramedAsync(Socket socket, byte[] message, CancellationToken cancellationToken)
    {
        var framed = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, message.Length);
        message.CopyTo(framed, 4);
        await socket.SendAsync(framed, cancellationToken);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var socket = await _tcp.AcceptAsync(_stop.Token);
            Connections.Enqueue(((IPEndPoint)socket.RemoteEndPoint!).Port);
            _serving.Add(ServeAsync(socket));
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
            await OnConnection(socket, _stop.Token);
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[ushort.MaxValue];
        while (true)
        {
            var received = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
            var request = buffer[..received.ReceivedBytes];
            Datagrams.Enqueue(request);
            foreach (var datagram in OnDatagram(request))
                await _udp.SendToAsync(datagram, SocketFlags.None, received.RemoteEndPoint, _stop.Token);
        }
    }
}
