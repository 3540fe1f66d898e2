using System.Globalization;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Tool.Output;

/// <summary>The names of ticket fields in the specifications.</summary>
internal static class TicketNames
{
    // RFC 4120 §5.3 by bit; enc-pa-rep is RFC 6806 §11, anonymous RFC 8062 §3.
    private static readonly string?[] FlagsByBit =
    [
        null, "forwardable", "forwarded", "proxiable", "proxy", "may-postdate", "postdated", "invalid", "renewable", "initial",
        "pre-authent", "hw-authent", "transited-policy-checked", "ok-as-delegate", null, "enc-pa-rep", "anonymous",
    ];

    /// <summary>Returns the names of the flags that are set. An unknown flag is named by its bit.</summary>
    public static IEnumerable<string> Format(TicketFlags flags) =>
        from bit in Enumerable.Range(0, 32)
        where ((uint)flags & (0x80000000 >> bit)) != 0
        select FlagsByBit.ElementAtOrDefault(bit) ?? string.Create(CultureInfo.InvariantCulture, $"bit-{bit}");

    /// <summary>Returns the registered name of an encryption type (RFC 3961 §8).</summary>
    public static string Format(EncryptionType type) => EncryptionTypeNames.Get((int)type);
}
