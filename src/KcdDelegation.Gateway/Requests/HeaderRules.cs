using System.Collections.Frozen;
using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway.Requests;

/// <summary>The request headers that do not reach an application.</summary>
/// <remarks>A client must not be able to set what an application accepts from its own proxy: the user, the address of the client, or
/// another target.</remarks>
internal sealed class HeaderRules
{
    private static readonly string[] s_defaults =
    [
        // Forwarding. The gateway sets those that applications need.
        "Forwarded", "X-Forwarded*", "X-Original-*", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "Client-IP",
        "CF-Connecting-IP", "Fastly-Client-IP", "X-ProxyUser-IP", "X-Envoy-*", "X-Host", "Proxy",
        // Other targets (IIS, Symfony).
        "X-Rewrite-URL", "X-Override-URL",
        // Users and certificates that other proxies name.
        "Remote-User", "Remote-Name", "Remote-Email", "Remote-Groups", "Remote-Addr", "X-Remote-*", "X-User", "X-Username", "X-Email",
        "X-Groups", "X-Logon-User", "X-WebAuth-*", "X-Auth-Request-*", "X-Auth-User*", "X-Auth-Email", "X-Auth-Groups", "X-Authenticated-*",
        "X-Authentik-*", "X-Pomerium-*", "X-Goog-Authenticated-*", "X-Goog-IAP-*", "X-Amzn-Oidc-*", "X-MS-Client-Principal*",
        "X-MS-Token-*", "X-Vouch-*", "OIDC-*", "Cf-Access-*", "Tailscale-*", "X-SSL-*", "SSL-Client-*", "X-Client-Cert*", "Client-Cert*",
        "X-ARR-*", "X-IIS-*", "MS-ASPNETCORE-*", "SM-User*", "IV-User*", "IV-Groups", "IV-Creds",
    ];

    private readonly FrozenSet<string> _names;
    private readonly string[] _prefixes;
    private readonly FrozenSet<string> _allowed;

    public HeaderRules(ListenerSettings settings)
    {
        string[] all = [.. s_defaults, .. settings.DroppedHeaders];
        _names = all.Where(static name => !name.EndsWith('*')).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        _prefixes = [.. all.Where(static name => name.EndsWith('*')).Select(static name => name[..^1])];
        _allowed = settings.AllowedHeaders.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Determines whether the header is dropped.</summary>
    /// <remarks>Servers that pass headers on as variables (CGI, PHP, WSGI) replace a hyphen by an underscore. A name with an underscore, or
    /// with another character than letters, digits and hyphens, could therefore become that of another header.</remarks>
    public bool IsDropped(string name)
    {
        foreach (var character in name)
        {
            if (!char.IsAsciiLetterOrDigit(character) && character != '-')
                return true;
        }
        if (_allowed.Contains(name))
            return false;
        if (_names.Contains(name))
            return true;
        foreach (var prefix in _prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
