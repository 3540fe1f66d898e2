using System.Collections.Immutable;

namespace KcdDelegation.Headers;

/// <summary>The object identifiers of the mechanisms that are sent with <c>Negotiate</c>.</summary>
internal static class GssMechanism
{
    /// <summary>RFC 4178 §3: the negotiation itself.</summary>
    public const string Spnego = "1.3.6.1.5.5.2";

    /// <summary>RFC 4121 §1.1 (RFC 1964 §1): Kerberos 5.</summary>
    public const string Kerberos = "1.2.840.113554.1.2.2";

    /// <summary>MS-SPNG §3.1.5.2: Kerberos 5 as Windows 2000 numbered it, truncated by one bit. Used in mechanism lists only.</summary>
    public const string MicrosoftKerberos = "1.2.840.48018.1.2.2";

    /// <summary>MS-NLMP §1.9.</summary>
    public const string Ntlm = "1.3.6.1.4.1.311.2.2.10";

    /// <summary>MS-NEGOEX §1.9.</summary>
    public const string NegoEx = "1.3.6.1.4.1.311.2.2.30";

    /// <summary>The mechanisms that the NegTokenInit offers, in the order of Windows (MS-SPNG §3.2.5.2).</summary>
    /// <remarks>NTLM is never offered: a service that cannot accept the ticket must refuse it and not request a weaker mechanism.</remarks>
    public static readonly ImmutableArray<string> Offered = [MicrosoftKerberos, Kerberos];

    public static bool IsKerberos(string mechanism) => mechanism is Kerberos or MicrosoftKerberos;
}
