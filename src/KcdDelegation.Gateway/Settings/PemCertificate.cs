using System.Security.Cryptography.X509Certificates;
using System.Net.Security;

namespace KcdDelegation.Gateway.Settings;

/// <summary>A certificate with its private key and its chain, from PEM files.</summary>
internal sealed class PemCertificate : IDisposable
{
    private readonly X509Certificate2Collection _chain;

    private PemCertificate(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        (Leaf, _chain) = (leaf, chain);
        Context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
    }

    public X509Certificate2 Leaf { get; }

    /// <summary>Gets the certificate with the chain that is sent to clients.</summary>
    public SslStreamCertificateContext Context { get; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file has no certificate or key, or the key is not that of
    /// the certificate.</exception>
    public static PemCertificate Load(CertificatePaths paths)
    {
        var (certificates, key) = (File.ReadAllText(paths.Certificate), File.ReadAllText(paths.Key));
        var leaf = X509Certificate2.CreateFromPem(certificates, key);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(certificates);
        return new PemCertificate(leaf, chain);
    }

    public void Dispose()
    {
        Leaf.Dispose();
        foreach (var certificate in _chain)
            certificate.Dispose();
    }
}
