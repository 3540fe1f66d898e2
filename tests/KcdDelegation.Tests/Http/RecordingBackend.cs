using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KcdDelegation.Tests.Http;

/// <summary>A server on loopback that records every byte that arrives and answers with fixed text. Of a request it reads the head
/// only.</summary>
internal sealed class RecordingBackend : IAsyncDisposable
{
    public const string Ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly X509Certificate2? _certificate;
    private readonly string? _answer;
    private readonly bool _closes;
    private readonly Task _accepting;

    /// <param name="answer">The answer to each request; null closes the connection instead.</param>
    /// <param name="certificate">The certificate; null for no TLS.</param>
    /// <param name="closes">Whether it closes the connection after the answer.</param>
    public RecordingBackend(string? answer = Ok, X509Certificate2? certificate = null, bool closes = false)
    {
        (_answer, _certificate, _closes) = (answer, certificate, closes);
        _listener.Start();
        Url = new Uri($"{(certificate is null ? "http" : "https")}://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Url { get; }

    /// <summary>Gets the number of connections that were opened.</summary>
    public int Connections { get; private set; }

    /// <summary>Gets the heads of the requests with the number of their connection, byte for byte.</summary>
    public ConcurrentQueue<(int Connection, string Head)> Seen { get; } = new();

    /// <summary>Gets the head of the only request.</summary>
    public string Head => Seen.Single().Head;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            _ = ServeAsync(client, ++Connections);
        }
    }

    private async Task ServeAsync(TcpClient client, int connection)
    {
        using (client)
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(_certificate);
                stream = tls;
            }
            await using var _ = stream;
            var buffer = new byte[64 * 1024];
            var received = "";
            while (await stream.ReadAsync(buffer, _end.Token) is > 0 and var length)
            {
                received += Encoding.Latin1.GetString(buffer, 0, length);
                while (received.IndexOf("\r\n\r\n", StringComparison.Ordinal) is >= 0 and var end)
                {
                    Seen.Enqueue((connection, received[..end]));
                    received = received[(end + 4)..];
                    if (_answer is null)
                        return;
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(_answer), _end.Token);
                    if (_closes)
                        return;
                }
            }
        }
    }
}
