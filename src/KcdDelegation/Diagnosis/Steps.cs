using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>Whose fault a code is depends on whom the exchange was about.</summary>
internal static class Steps
{
    public static readonly IReadOnlyList<KerberosExchange> LoggingOn = [KerberosExchange.LogOn, KerberosExchange.Configuration, KerberosExchange.KdcLookup];

    public static readonly IReadOnlyList<KerberosExchange> FindingUser = [KerberosExchange.S4U2Self, KerberosExchange.RealmDiscovery];

    public static readonly IReadOnlyList<KerberosExchange> Discovery = [KerberosExchange.RealmDiscovery];

    public static readonly IReadOnlyList<KerberosExchange> BetweenRealms = [KerberosExchange.Referral];

    public static readonly IReadOnlyList<KerberosExchange> AtTarget = [KerberosExchange.MutualAuthentication];
}
