using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Http;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The certificate of a backend and the result of its validation, which is the one of the library's own handler.</summary>
internal sealed record BackendCertificate
{
    private const int MaxNames = 10;

    /// <summary>Gets the reason why there is no certificate, or null.</summary>
    public string? Failure { get; private init; }

    public bool IsTimeout { get; private init; }

    /// <summary>Gets whether the certificate is trusted for the host.</summary>
    public bool IsTrusted { get; private init; }

    public bool IsWrongName { get; private init; }

    public bool IsWrongChain { get; private init; }

    /// <summary>Gets the errors of the chain, such as UntrustedRoot.</summary>
    public IReadOnlyList<string> ChainErrors { get; private init; } = [];

    public string Subject { get; private init; } = "";

    public string Issuer { get; private init; } = "";

    /// <summary>Gets the names for which the certificate is valid.</summary>
    public IReadOnlyList<string> Names { get; private init; } = [];

    public DateTimeOffset NotBefore { get; private init; }

    public DateTimeOffset NotAfter { get; private init; }

    /// <summary>Gets the SHA-256 hash in hexadecimal digits.</summary>
    public string Thumbprint { get; private init; } = "";

    public string Algorithm { get; private init; } = "";

    /// <summary>Gets whether RFC 5929 §4.1 defines a channel binding for the certificate.</summary>
    public bool HasChannelBinding { get; private init; }

    /// <summary>Makes a TLS handshake and ends the connection without a request.</summary>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public static async Task<BackendCertificate> ReadAsync(
        DoctorRequest request, ApplicationSettings application, CancellationToken cancellationToken)
    {
        BackendCertificate? found = null;
        var handler = new SocketsHttpHandlers(request.CreateHandler).Create();
        handler.ConnectTimeout = request.AnswerTimeout;
        handler.SslOptions = Copy(handler.SslOptions);
        var own = handler.SslOptions.RemoteCertificateValidationCallback;
        handler.SslOptions.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            var isTrusted = own?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
            found = certificate is null ? null : From(certificate, chain, errors, isTrusted);
            return isTrusted;
        };
        handler.PlaintextStreamFilter = static (_, _) => throw new HandshakeEndedException();
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: true);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(request.AnswerTimeout);
        // Both versions are offered, because a server that speaks HTTP/2 only ends the handshake otherwise.
        using var probe = new HttpRequestMessage(HttpMethod.Get, application.InternalUrl)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        try
        {
            using var response = await invoker.SendAsync(probe, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return found ?? new BackendCertificate { Failure = "no answer in the TLS handshake", IsTimeout = true };
        }
        catch (Exception error) when (error is HttpRequestException or IOException or AuthenticationException or HandshakeEndedException)
        {
            var inner = error;
            while (inner.InnerException is { } next)
                inner = next;
            return found ?? new BackendCertificate { Failure = PrintableText.From(inner.Message.TrimEnd('.'), 200) };
        }
        return found ?? new BackendCertificate { Failure = "the server presents no certificate" };
    }

    private static BackendCertificate From(X509Certificate certificate, X509Chain? chain, SslPolicyErrors errors, bool isTrusted)
    {
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return new BackendCertificate
        {
            IsTrusted = isTrusted,
            IsWrongName = errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch),
            IsWrongChain = errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors),
            ChainErrors = [.. (chain?.ChainStatus ?? []).Select(status => status.Status.ToString()).Distinct(StringComparer.Ordinal)],
            Subject = PrintableText.From(copy.Subject, 200),
            Issuer = PrintableText.From(copy.Issuer, 200),
            Names = ReadNames(copy),
            NotBefore = new DateTimeOffset(copy.NotBefore),
            NotAfter = new DateTimeOffset(copy.NotAfter),
            Thumbprint = copy.GetCertHashString(HashAlgorithmName.SHA256),
            Algorithm = PrintableText.From(copy.SignatureAlgorithm.FriendlyName ?? copy.SignatureAlgorithm.Value, 64),
            HasChannelBinding = !TlsServerEndPoint.CreateApplicationData(copy).IsEmpty,
        };
    }

    private static IReadOnlyList<string> ReadNames(X509Certificate2 certificate)
    {
        try
        {
            return
            [
                .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                    .SelectMany(names => names.EnumerateDnsNames()
                        .Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))
                    .Take(MaxNames).Select(name => PrintableText.From(name, 100)),
            ];
        }
        catch (CryptographicException)
        {
            return ["unreadable"];
        }
    }

    /// <summary>Copies the options, because a factory may give the same ones to every handler.</summary>
    private static SslClientAuthenticationOptions Copy(SslClientAuthenticationOptions options) => new()
    {
        CertificateChainPolicy = options.CertificateChainPolicy,
        CertificateRevocationCheckMode = options.CertificateRevocationCheckMode,
        CipherSuitesPolicy = options.CipherSuitesPolicy,
        ClientCertificateContext = options.ClientCertificateContext,
        ClientCertificates = options.ClientCertificates,
        EnabledSslProtocols = options.EnabledSslProtocols,
        LocalCertificateSelectionCallback = options.LocalCertificateSelectionCallback,
        RemoteCertificateValidationCallback = options.RemoteCertificateValidationCallback,
        TargetHost = options.TargetHost,
    };

    private sealed class HandshakeEndedException() : Exception("The handshake is complete.");
}
