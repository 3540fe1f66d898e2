using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Testing;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>A device that ends TLS with a certificate of its own, which clients trust, and relays to the backend.</summary>
internal sealed class InspectingDevice : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate = CreateCertificate();
    private readonly TestBackend _backend;
    private readonly Task _accepting;

    public InspectingDevice(TestBackend backend)
    {
        _backend = backend;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"https://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Creates a handler that trusts the device.</summary>
    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = Trust(_certificate);
        return handler;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
        _certificate.Dispose();
    }

    private async Task AcceptAsync()
    {
        var relays = new List<Task>();
        try
        {
            while (true)
                relays.Add(RelayAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(relays);
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var outside = client;
        using var inside = new TcpClient();
        try
        {
            await using var server = new SslStream(outside.GetStream());
            await server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stop.Token);
            await inside.ConnectAsync(IPAddress.Loopback, _backend.Url.Port, _stop.Token);
            await using var relayed = new SslStream(inside.GetStream(), leaveInnerStreamOpen: false, Trust(_backend.Certificate!));
            await relayed.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, _stop.Token);
            await Task.WhenAny(server.CopyToAsync(relayed, _stop.Token), relayed.CopyToAsync(server, _stop.Token));
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or AuthenticationException or SocketException)
        {
            // The client ends the connection after the handshake when it only reads the certificate.
        }
    }

    private static RemoteCertificateValidationCallback Trust(X509Certificate2 expected) => (_, certificate, _, _) =>
        certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(expected.RawData);

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest("CN=inspection", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
