using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KcdDelegation.Tests.Http;

/// <summary>A server on loopback that closes its first connections (FIN, no reset) when it has read their second request. Of a request it
/// reads the head only.</summary>
internal sealed class ClosingBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly X509Certificate2? _certificate;
    private readonly int _closing;
    private readonly Task _accepting;

    /// <param name="closing">The number of connections that close.</param>
    /// <param name="certificate">The certificate; null for no TLS.</param>
    public ClosingBackend(int closing = 1, X509Certificate2? certificate = null)
    {
        (_closing, _certificate) = (closing, certificate);
        _listener.Start();
        Url = new Uri($"{(certificate is null ? "http" : "https")}://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Url { get; }

    public ConcurrentQueue<(string Method, string Authorization)> Seen { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        for (var number = 0; ; number++)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            _ = ServeAsync(client, closes: number < _closing);
        }
    }

    private async Task ServeAsync(TcpClient client, bool closes)
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
            using var reader = new StreamReader(stream, Encoding.Latin1);
            for (var request = 1; await reader.ReadLineAsync(_end.Token) is { } line; request++)
            {
                var authorization = "";
                while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 } header)
                {
                    if (header.StartsWith("Authorization: ", StringComparison.Ordinal))
                        authorization = header["Authorization: ".Length..];
                }
                Seen.Enqueue((line.Split(' ')[0], authorization));
                if (closes && request == 2)
                    return;
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _end.Token);
            }
        }
    }
}
