using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway.Applications;

/// <summary>The external addresses of internal origins.</summary>
internal sealed class ExternalAddresses
{
    private static readonly ConditionalWeakTable<GatewaySettings, ExternalAddresses> s_known = [];

    private readonly FrozenDictionary<string, GatewayApplication[]> _byOrigin;

    private ExternalAddresses(GatewaySettings settings) => _byOrigin = settings.Applications.Values
        .SelectMany(application => application.InternalUrls.SelectMany(GetOrigins).Select(origin => (origin, application)))
        .GroupBy(entry => entry.origin, entry => entry.application, StringComparer.OrdinalIgnoreCase)
        .ToFrozenDictionary(group => group.Key, group => group.Distinct().ToArray(), StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the addresses of the settings.</summary>
    public static ExternalAddresses Get(GatewaySettings settings) =>
        s_known.GetValue(settings, static settings => new ExternalAddresses(settings));

    /// <summary>Replaces the origin of an absolute address if it is an internal one. Other addresses are not changed.</summary>
    /// <param name="address">The address in a response.</param>
    /// <param name="current">The application that has answered. It comes first if several have the same origin.</param>
    public string Replace(string address, GatewayApplication current)
    {
        // An address that starts with two slashes has the scheme of the request (RFC 3986 §4.2).
        var absolute = address.StartsWith("//", StringComparison.Ordinal) ? $"{current.InternalUrls[0].Scheme}:{address}" : address;
        if (!Uri.TryCreate(absolute, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0
            || !_byOrigin.TryGetValue(GetOrigin(url.Scheme, url.IdnHost, url.Port), out var applications))
            return address;
        var application = applications.Contains(current) ? current : applications[0];
        // The rest keeps its text: an application may compare it.
        var rest = absolute.AsSpan(absolute.IndexOf("//", StringComparison.Ordinal) + 2);
        var end = rest.IndexOfAny("/?#\\");
        return application.ExternalUrl.GetLeftPart(UriPartial.Authority) + (end < 0 ? "" : rest[end..].ToString());
    }

    /// <summary>Returns the origins that an application may name: its own, and on the usual ports that of the other scheme.</summary>
    private static IEnumerable<string> GetOrigins(Uri url)
    {
        yield return GetOrigin(url.Scheme, url.IdnHost, url.Port);
        if (url.IsDefaultPort)
        {
            var isHttps = url.Scheme == Uri.UriSchemeHttps;
            yield return GetOrigin(isHttps ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, url.IdnHost, isHttps ? 80 : 443);
        }
    }

    private static string GetOrigin(string scheme, string host, int port) => FormattableString.Invariant($"{scheme}://{host}:{port}");
}
