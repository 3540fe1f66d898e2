using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>Groups of exchanges. The meaning of an error code depends on the exchange in which it occurs.</summary>
internal static class Steps
{
    public static readonly IReadOnlyList<KerberosExchange> LoggingOn =
        [KerberosExchange.LogOn, KerberosExchange.Configuration, KerberosExchange.KdcLookup];

    public static readonly IReadOnlyList<KerberosExchange> FindingUser = [KerberosExchange.S4U2Self, KerberosExchange.RealmDiscovery];

    public static readonly IReadOnlyList<KerberosExchange> Discovery = [KerberosExchange.RealmDiscovery];

    public static readonly IReadOnlyList<KerberosExchange> BetweenRealms = [KerberosExchange.Referral];

    public static readonly IReadOnlyList<KerberosExchange> AtProxy = [KerberosExchange.S4U2Proxy];

    public static readonly IReadOnlyList<KerberosExchange> AtTarget = [KerberosExchange.MutualAuthentication];
}
