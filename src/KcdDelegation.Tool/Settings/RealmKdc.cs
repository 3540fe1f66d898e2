using KcdDelegation.Kerberos;

namespace KcdDelegation.Tool.Settings;

/// <summary>The value of <c>--kdc</c>: <c>[REALM=]HOST[:PORT]</c>.</summary>
/// <param name="Realm">The realm; null for the account's realm.</param>
/// <param name="Endpoint">The address of the KDC.</param>
internal sealed record RealmKdc(string? Realm, KdcEndpoint Endpoint)
{
    /// <exception cref="FormatException">The text does not have this form.</exception>
    public static RealmKdc Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0 && !KerberosPrincipal.IsRealm(text[..equals]))
            throw new FormatException("The text before \"=\" is not a realm. Example: EU.CONTOSO.COM=dc1.eu.contoso.com.");
        return new RealmKdc(equals < 0 ? null : text[..equals], KdcEndpoint.Parse(text[(equals + 1)..]));
    }
}
