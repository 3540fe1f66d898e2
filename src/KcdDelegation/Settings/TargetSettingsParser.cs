using System.Collections.Frozen;
using System.Collections.Immutable;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Settings;

/// <summary>The parser of the addresses of one application: its own, its further origins and its Host values.</summary>
/// <param name="application">The settings to parse.</param>
/// <param name="key">The key of the application.</param>
/// <param name="errors">The errors that are found.</param>
internal sealed class TargetSettingsParser(DelegatedApplication application, string key, SettingsErrors errors)
{
    /// <summary>Parses the application's own address.</summary>
    /// <param name="isRequired">Whether an application without an address is an error.</param>
    /// <param name="address">The address; null if there is none or it is not an address.</param>
    /// <returns>False if it is not an address, or is required and missing.</returns>
    public bool TryParseInternalUrl(bool isRequired, out Uri? address)
    {
        address = null;
        const string Remedy = "Write the backend's address, such as https://erp.contoso.com/";
        var urlKey = $"{key}:{nameof(DelegatedApplication.InternalUrl)}";
        if (application.InternalUrl is not { } url)
        {
            if (isRequired)
                errors.Add(urlKey, "is missing", Remedy);
            return !isRequired;
        }
        if (!IsHttp(url))
        {
            errors.Add(urlKey, $"{AddressText.Quoted(url.OriginalString)} is not an http or https address", Remedy);
            return false;
        }
        if (url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
            errors.Add(urlKey, $"{AddressText.Quoted(url.OriginalString)} has a user, a query or a fragment",
                "Keep the scheme, the host, the port and the path");
        CheckPlainHttp(url, urlKey);
        address = url;
        return true;
    }

    /// <summary>Parses the further origins, without those that have an error.</summary>
    public ImmutableArray<Uri> ParseOrigins()
    {
        var origins = ImmutableArray.CreateBuilder<Uri>();
        for (var i = 0; i < application.AdditionalOrigins.Count; i++)
        {
            var text = application.AdditionalOrigins[i];
            var originKey = $"{key}:{nameof(DelegatedApplication.AdditionalOrigins)}:{i}";
            if (!Uri.TryCreate(text, UriKind.Absolute, out var origin) || !IsHttp(origin))
                errors.Add(originKey, $"{AddressText.Quoted(text)} is not an http or https address",
                    "Write a scheme, a host and a port, such as https://erp1.contoso.com:8443");
            else if (origin.UserInfo.Length > 0 || origin.PathAndQuery != "/" || origin.Fragment.Length > 0)
                errors.Add(originKey, $"{AddressText.Quoted(text)} has a user, a path, a query or a fragment",
                    $"Keep the scheme, the host and the port. The path of {errors.Key($"{key}:InternalUrl")} applies to every origin");
            else
            {
                CheckPlainHttp(origin, originKey);
                origins.Add(origin);
            }
        }
        return origins.ToImmutable();
    }

    /// <summary>Parses the values of the Host header, without those that have an error.</summary>
    public FrozenSet<string> ParseHosts()
    {
        var hosts = new List<string>();
        for (var i = 0; i < application.AllowedHosts.Count; i++)
        {
            var text = application.AllowedHosts[i];
            if (IsHostValue(text))
                hosts.Add(text);
            else
                errors.Add(
                    $"{key}:{nameof(DelegatedApplication.AllowedHosts)}:{i}",
                    $"{AddressText.Quoted(text)} is not a value of a Host header",
                    "Write a host as browsers send it, such as portal.contoso.com or portal.contoso.com:8443; wildcards are not supported");
        }
        return hosts.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    private void CheckPlainHttp(Uri url, string urlKey)
    {
        if (url.Scheme == Uri.UriSchemeHttp && !application.AllowPlainHttp)
            errors.Add(urlKey,
                $"{AddressText.Quoted(url.OriginalString)} is plain http, where an eavesdropper can use the user's ticket",
                $"Use https, or set {errors.Key($"{key}:{nameof(DelegatedApplication.AllowPlainHttp)}")} to true on a network that you "
                    + "trust");
    }

    private static bool IsHttp(Uri url) =>
        url.IsAbsoluteUri && (url.Scheme == Uri.UriSchemeHttps || url.Scheme == Uri.UriSchemeHttp) && url.Host.Length > 0;

    /// <summary>Determines whether the text is a host with an optional port (RFC 9110 §7.2), in the ASCII form in which it is
    /// sent.</summary>
    private static bool IsHostValue(string? text) =>
        !string.IsNullOrEmpty(text)
        && Uri.TryCreate($"https://{text}/", UriKind.Absolute, out var url)
        && (string.Equals(text, url.IdnHost, StringComparison.OrdinalIgnoreCase)
            || string.Equals(text, FormattableString.Invariant($"{url.IdnHost}:{url.Port}"), StringComparison.OrdinalIgnoreCase)
            || string.Equals(text, url.Authority, StringComparison.OrdinalIgnoreCase))
        && text.All(char.IsAscii);
}
