using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KcdDelegation.InteropTests.Ldap;

/// <summary>A relay that ends the client's TLS with a certificate of its own and opens another TLS connection to the server, as a device
/// that inspects TLS does. A test makes the client trust the certificate.</summary>
internal sealed class InterceptingRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    private InterceptingRelay(IPEndPoint server, X509Certificate2 certificate)
    {
        Certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync(server);
    }

    public X509Certificate2 Certificate { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static InterceptingRelay Start(IPEndPoint server, string name)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return new InterceptingRelay(server, request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1)));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
        Certificate.Dispose();
    }

    private async Task AcceptAsync(IPEndPoint server)
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                using var upstream = new TcpClient();
                await upstream.ConnectAsync(server, _stop.Token);
                await using var down = new SslStream(client.GetStream());
                await down.AuthenticateAsServerAsync(
                    new SslServerAuthenticationOptions { ServerCertificate = Certificate }, _stop.Token);
                await using var up = new SslStream(
                    upstream.GetStream(), leaveInnerStreamOpen: false, (_, certificate, _, _) => certificate is not null);
                await up.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "intercepted" }, _stop.Token);
                await Task.WhenAny(down.CopyToAsync(up, _stop.Token), up.CopyToAsync(down, _stop.Token)).Unwrap();
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or IOException or InvalidOperationException)
        {
            // The test ends. A disposed or stopped object is an InvalidOperationException.
        }
    }
}
