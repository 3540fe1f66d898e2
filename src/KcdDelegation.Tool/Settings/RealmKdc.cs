using KcdDelegation.Kerberos;

namespace KcdDelegation.Tool.Settings;

/// <summary>The argument of <c>--kdc</c>: <c>[REALM=]HOST[:PORT]</c>.</summary>
/// <param name="Realm">Null: the account's realm.</param>
/// <param name="Endpoint">Where the KDC is.</param>
internal sealed record RealmKdc(string? Realm, KdcEndpoint Endpoint)
{
    /// <exception cref="FormatException">Not of that form.</exception>
    public static RealmKdc Parse(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0 && !KerberosPrincipal.IsRealm(text[..equals]))
            throw new FormatException("The text before the = is not a realm. Write, for example, EU.CONTOSO.COM=dc1.eu.contoso.com.");
        return new RealmKdc(equals < 0 ? null : text[..equals], KdcEndpoint.Parse(text[(equals + 1)..]));
    }
}
