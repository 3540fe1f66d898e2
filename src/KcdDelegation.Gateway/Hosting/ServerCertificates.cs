using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The certificates of the listener, which are read again when a file changes. Thread-safe.</summary>
internal sealed class ServerCertificates
{
    private readonly Lock _reload = new();
    private readonly GatewaySettingsStore _settings;
    private readonly ILogger _logger;
    private volatile ImmutableList<Entry> _entries = [];

    public ServerCertificates(GatewaySettingsStore settings, ILoggerFactory loggerFactory)
    {
        (_settings, _logger) = (settings, loggerFactory.CreateLogger(GatewayLog.Category));
        settings.Subscribe(_ => Refresh());
    }

    /// <summary>Returns the certificate for a host: the first one that is valid for it, or the first of all.</summary>
    public SslStreamCertificateContext? Select(string? host)
    {
        var entries = _entries;
        if (!string.IsNullOrEmpty(host))
        {
            foreach (var entry in entries)
            {
                if (entry.Certificate?.Leaf.MatchesHostname(host, allowCommonName: false) == true)
                    return entry.Certificate.Context;
            }
        }
        return entries.Find(entry => entry.Certificate is not null)?.Certificate!.Context;
    }

    /// <summary>Reads the files that have changed. A certificate that cannot be used is logged, and the last one stays.</summary>
    public void Refresh()
    {
        lock (_reload)
        {
            var old = _entries;
            _entries =
            [
                .. _settings.Current.Listener.Certificates.Select(paths => Refresh(paths, old.Find(entry => entry.Paths == paths))),
            ];
        }
    }

    private Entry Refresh(CertificatePaths paths, Entry? old)
    {
        try
        {
            var hash = Hash(paths);
            if (string.Equals(hash, old?.Hash, StringComparison.Ordinal))
                return old!;
            var certificate = PemCertificate.Load(paths);
            if (old is not null)
                GatewayLog.CertificateReplaced(
                    _logger, PrintableText.From(paths.Certificate), new DateTimeOffset(certificate.Leaf.NotAfter));
            return new Entry(paths, hash, certificate, Failure: null);
        }
        // Also while a file is being replaced: the next look finds both.
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            if (!string.Equals(error.Message, old?.Failure, StringComparison.Ordinal))
                GatewayLog.CertificateRejected(_logger, PrintableText.From(paths.Certificate), PrintableText.From(error.Message));
            return new Entry(paths, old?.Hash, old?.Certificate, error.Message);
        }
    }

    private static string Hash(CertificatePaths paths)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(paths.Certificate));
        hash.AppendData(File.ReadAllBytes(paths.Key));
        return Convert.ToHexString(hash.GetCurrentHash());
    }

    private sealed record Entry(CertificatePaths Paths, string? Hash, PemCertificate? Certificate, string? Failure);
}
