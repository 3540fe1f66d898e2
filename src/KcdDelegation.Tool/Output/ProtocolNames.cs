using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Tool.Output;

/// <summary>The names of the fields of KDC messages in the specifications. A value without a name is shown as a number.</summary>
internal static class ProtocolNames
{
    // RFC 4120 §5.4.1 by bit; cname-in-addl-tkt is MS-SFU §2.2.3, canonicalize RFC 6806 §3, request-anonymous RFC 8062 §3.
    private static readonly Dictionary<int, string> KdcOptionsByBit = new()
    {
        [1] = "forwardable", [2] = "forwarded", [3] = "proxiable", [4] = "proxy", [5] = "allow-postdate", [6] = "postdated",
        [8] = "renewable", [14] = "cname-in-addl-tkt", [15] = "canonicalize", [16] = "request-anonymous", [26] = "disable-transited-check",
        [27] = "renewable-ok", [28] = "enc-tkt-in-skey", [30] = "renew", [31] = "validate",
    };

    // MS-KILE §2.2.10, MS-SFU §2.2.5.
    private static readonly Dictionary<int, string> PacOptionsByBit = new()
    {
        [0] = "claims", [1] = "branch-aware", [2] = "forward-to-full-dc", [3] = "resource-based-constrained-delegation",
    };

    // MS-SFU §2.2.2.
    private static readonly Dictionary<int, string> S4UOptionsByBit = new()
    {
        [1] = "check-logon-restrictions", [2] = "use-reply-key-usage",
    };

    public static IReadOnlyList<string> FormatKdcOptions(KdcOptionFlags options) => Format((uint)options, KdcOptionsByBit);

    /// <summary>Returns the names of the flags of an entry of pre-authentication data.</summary>
    public static IReadOnlyList<string> FormatPaDataFlags(PaDataType type, uint flags) =>
        Format(flags, type == PaDataType.PacOptions ? PacOptionsByBit : S4UOptionsByBit);

    /// <summary>Returns the name type (RFC 4120 §6.2, RFC 6806 §5, MS-KILE §3.1.5.2).</summary>
    public static string FormatNameType(int type) => type switch
    {
        0 => "NT-UNKNOWN",
        1 => "NT-PRINCIPAL",
        2 => "NT-SRV-INST",
        3 => "NT-SRV-HST",
        10 => "NT-ENTERPRISE",
        11 => "NT-WELLKNOWN",
        -128 => "NT-MS-PRINCIPAL",
        _ => string.Create(CultureInfo.InvariantCulture, $"name type {type}"),
    };

    public static string FormatMessage(KdcMessageType type) => type switch
    {
        KdcMessageType.AsRequest => "AS-REQ",
        KdcMessageType.AsReply => "AS-REP",
        KdcMessageType.TgsRequest => "TGS-REQ",
        _ => "TGS-REP",
    };

    public static string FormatStage(KerberosExchange? stage) => stage switch
    {
        KerberosExchange.LogOn => "log-on",
        KerberosExchange.RealmDiscovery => "realm discovery",
        KerberosExchange.Referral => "referral",
        KerberosExchange.S4U2Self => "S4U2Self",
        KerberosExchange.S4U2Proxy => "S4U2Proxy",
        _ => "other",
    };

    /// <summary>Returns the registered name of a checksum type (RFC 3961 §8, RFC 4757 §4).</summary>
    public static string Format(ChecksumType type) => type switch
    {
        ChecksumType.HmacMd5 => "hmac-md5",
        ChecksumType.HmacSha1Aes128 => "hmac-sha1-96-aes128",
        ChecksumType.HmacSha1Aes256 => "hmac-sha1-96-aes256",
        ChecksumType.HmacSha256Aes128 => "hmac-sha256-128-aes128",
        ChecksumType.HmacSha384Aes256 => "hmac-sha384-192-aes256",
        _ => string.Create(CultureInfo.InvariantCulture, $"checksum type {(int)type}"),
    };

    /// <summary>Returns the name of a type of PAC buffers (MS-PAC §2.4).</summary>
    public static string FormatPacBuffer(uint type) => type switch
    {
        1 => "logon-info",
        2 => "credentials",
        6 => "server-checksum",
        7 => "kdc-checksum",
        10 => "client-info",
        11 => "delegation-info",
        12 => "upn-dns-info",
        13 => "client-claims",
        14 => "device-info",
        15 => "device-claims",
        16 => "ticket-checksum",
        17 => "attributes-info",
        18 => "requestor-sid",
        19 => "full-checksum",
        _ => string.Create(CultureInfo.InvariantCulture, $"buffer type {type}"),
    };

    private static IReadOnlyList<string> Format(uint flags, Dictionary<int, string> names) =>
    [
        .. from bit in Enumerable.Range(0, 32)
           where (flags & (0x80000000 >> bit)) != 0
           select names.GetValueOrDefault(bit) ?? string.Create(CultureInfo.InvariantCulture, $"bit-{bit}"),
    ];
}
