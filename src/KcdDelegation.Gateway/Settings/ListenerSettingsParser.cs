using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the listener.</summary>
internal sealed class ListenerSettingsParser(ListenerOptions options, SettingsErrors errors)
{
    private const string Section = nameof(GatewayOptions.Listener);

    public ListenerSettings Parse()
    {
        CheckLimits();
        CheckHeaders(options.DroppedHeaders, nameof(ListenerOptions.DroppedHeaders));
        CheckHeaders(options.AllowedHeaders, nameof(ListenerOptions.AllowedHeaders));
        var urls = ParseUrls();
        return new ListenerSettings
        {
            Urls = urls,
            Certificates = ParseCertificates(urls),
            TrustedProxies = ParseProxies(),
            DroppedHeaders = [.. options.DroppedHeaders],
            AllowedHeaders = [.. options.AllowedHeaders],
            Limits = options.Limits,
        };
    }

    private ImmutableArray<BindingAddress> ParseUrls()
    {
        const string Remedy = "Write https://*:443, or an address of this machine such as https://192.0.2.10:443";
        if (options.Urls.Count == 0)
            errors.Add($"{Section}:Urls", "is empty", Remedy);
        return ListenerUrls.Parse(options.Urls, $"{Section}:Urls", Remedy, FindUrlProblem, errors);
    }

    private static string? FindUrlProblem(string text)
    {
        // Uri does not accept the wildcard.
        if (!Uri.TryCreate(text.Replace("://*", "://wildcard.invalid", StringComparison.Ordinal), UriKind.Absolute, out var address)
            || address.Scheme is not ("http" or "https"))
            return "is not an http or https address";
        if (ListenerUrls.HasMore(address))
            return "has a path, a query or a user";
        // The server would listen on every address for a name that it does not know.
        return address.HostNameType == UriHostNameType.Dns && address.Host is not ("localhost" or "wildcard.invalid")
            ? "has a host name" : null;
    }

    private ImmutableArray<CertificatePaths> ParseCertificates(ImmutableArray<BindingAddress> urls)
    {
        if (options.Certificates.Count == 0 && urls.Any(url => url.Scheme == Uri.UriSchemeHttps))
            errors.Add($"{Section}:Certificates", "is empty, but an address of Listener:Urls is https",
                "Write [ { \"Certificate\": \"/etc/kcd-gateway/tls.pem\", \"Key\": \"/etc/kcd-gateway/tls.key\" } ]");
        var certificates = ImmutableArray.CreateBuilder<CertificatePaths>();
        for (var i = 0; i < options.Certificates.Count; i++)
        {
            var (certificate, key) = (options.Certificates[i].Certificate, options.Certificates[i].Key);
            var setting = $"{Section}:Certificates:{i}";
            if (string.IsNullOrWhiteSpace(certificate))
                errors.Add($"{setting}:Certificate", "is missing", "Write the path of a PEM file");
            if (string.IsNullOrWhiteSpace(key))
                errors.Add($"{setting}:Key", "is missing", "Write the path of a PEM file");
            if (string.IsNullOrWhiteSpace(certificate) || string.IsNullOrWhiteSpace(key))
                continue;
            var paths = new CertificatePaths(certificate, key);
            CheckCertificate(paths, setting);
            certificates.Add(paths);
        }
        return certificates.ToImmutable();
    }

    private void CheckCertificate(CertificatePaths paths, string setting)
    {
        try
        {
            PemCertificate.Load(paths).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            errors.Add(setting, $"cannot be used: {PrintableText.From(error.Message.TrimEnd('.'))}",
                "Write the paths of a certificate and of its private key, both in PEM, which the gateway's user can read");
        }
    }

    private ImmutableArray<IPNetwork> ParseProxies()
    {
        var proxies = ImmutableArray.CreateBuilder<IPNetwork>();
        for (var i = 0; i < options.TrustedProxies.Count; i++)
        {
            var (text, key) = (options.TrustedProxies[i], $"{Section}:TrustedProxies:{i}");
            if (IPAddress.TryParse(text, out var address))
                proxies.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else if (!IPNetwork.TryParse(text, out var network))
                errors.Add(key, $"{PrintableText.Quoted(text)} is neither an address nor a network",
                    "Write an address such as 10.0.0.5, or a network such as 10.0.0.0/24");
            else if (network.PrefixLength == 0)
                errors.Add(key, $"{PrintableText.Quoted(text)} is every address, so any client could name another client's address",
                    "Write the addresses of your own proxies");
            else
                proxies.Add(network);
        }
        return proxies.ToImmutable();
    }

    private void CheckHeaders(IList<string> names, string setting)
    {
        for (var i = 0; i < names.Count; i++)
        {
            var name = names[i].EndsWith('*') ? names[i][..^1] : names[i];
            if (name.Length == 0 || name.Any(character => !char.IsAsciiLetterOrDigit(character) && character != '-'))
                errors.Add($"{Section}:{setting}:{i}", $"{PrintableText.Quoted(names[i])} is not the name of a header",
                    "Write a name such as X-Remote-User, or a prefix such as X-Auth-*");
        }
    }

    private void CheckLimits()
    {
        var limits = options.Limits;
        CheckRange(limits.MaxConnections, 1, int.MaxValue, nameof(limits.MaxConnections));
        CheckRange(limits.MaxRequestHeaderCount, 10, 10_000, nameof(limits.MaxRequestHeaderCount));
        CheckRange(limits.MaxRequestHeaderBytes, 4096, 1 << 20, nameof(limits.MaxRequestHeaderBytes));
        CheckRange(limits.MaxRequestLineBytes, 1024, 1 << 18, nameof(limits.MaxRequestLineBytes));
        CheckRange(limits.MaxRequestBodyBytes ?? 0, 0, long.MaxValue, nameof(limits.MaxRequestBodyBytes));
        CheckRange(limits.MinRequestBodyRate, 0, 1 << 30, nameof(limits.MinRequestBodyRate));
        CheckRange(limits.RequestHeadersTimeout, TimeSpan.FromSeconds(1), nameof(limits.RequestHeadersTimeout));
        CheckRange(limits.KeepAliveTimeout, TimeSpan.FromSeconds(1), nameof(limits.KeepAliveTimeout));
        CheckRange(limits.DrainTimeout, TimeSpan.Zero, nameof(limits.DrainTimeout));
        CheckRange(limits.DrainDelay, TimeSpan.Zero, nameof(limits.DrainDelay));
    }

    private void CheckRange(long value, long min, long max, string name)
    {
        if (value < min || value > max)
            errors.Add($"{Section}:Limits:{name}", string.Create(CultureInfo.InvariantCulture, $"{value} is out of range"),
                string.Create(CultureInfo.InvariantCulture, $"Write a number from {min} to {max}"));
    }

    private void CheckRange(TimeSpan value, TimeSpan min, string name)
    {
        if (value < min || value > TimeSpan.FromHours(1))
            errors.Add($"{Section}:Limits:{name}", $"{value:c} is out of range", $"Write a time from {min:c} to 01:00:00");
    }
}
