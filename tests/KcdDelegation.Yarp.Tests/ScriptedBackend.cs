using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A server with https that records each request as it was sent, and answers with the bytes that a test specifies. It is for
/// what Kestrel does not send: interim responses and trailers with HTTP/1.1.</summary>
internal sealed class ScriptedBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly X509Certificate2 _certificate = KerberosBackend.CreateCertificate();
    private readonly string _interim;
    private readonly string _final;
    private readonly Task _accepting;

    /// <summary>Starts the server.</summary>
    /// <param name="interim">What it sends after the header section of a request.</param>
    /// <param name="final">What it sends after the body.</param>
    public ScriptedBackend(string interim, string final)
    {
        (_interim, _final) = (interim, final);
        _listener.Start();
        Url = new Uri($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Url { get; }

    /// <summary>Gets the requests: their header sections, bodies and trailers.</summary>
    public ConcurrentQueue<string> Received { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _certificate.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
            _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _end.Token);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            while (await ReadSectionAsync(reader) is { Length: > 0 } head)
            {
                // An empty record of TLS would look like the end of the stream to .NET.
                if (_interim.Length > 0)
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(_interim), _end.Token);
                Received.Enqueue(head + await ReadBodyAsync(reader, head));
                await stream.WriteAsync(Encoding.Latin1.GetBytes(_final), _end.Token);
            }
        }
    }

    private async Task<string> ReadBodyAsync(StreamReader reader, string head)
    {
        if (head.Contains("\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
        {
            var body = new StringBuilder();
            while (await reader.ReadLineAsync(_end.Token) is { } size && size != "0")
                body.Append(await reader.ReadLineAsync(_end.Token));
            return body.Append('\n').Append(await ReadSectionAsync(reader)).ToString();
        }
        var length = head.Split('\n').Select(line => line.Split(": "))
            .Where(field => field[0] == "Content-Length").Select(field => int.Parse(field[1], null)).SingleOrDefault();
        if (length == 0)
            return "";
        var characters = new char[length];
        await reader.ReadBlockAsync(characters, _end.Token);
        return new string(characters);
    }

    /// <summary>Reads lines up to an empty one.</summary>
    private async Task<string> ReadSectionAsync(StreamReader reader)
    {
        var section = new StringBuilder();
        while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 } line)
            section.Append(line).Append('\n');
        return section.ToString();
    }
}
