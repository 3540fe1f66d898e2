using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Files;

/// <summary>One key of one principal.</summary>
/// <param name="Components">Of the name, at least one.</param>
/// <param name="Realm">The realm.</param>
/// <param name="NameType">RFC 4120 §6.2; a number, since writers put anything there.</param>
/// <param name="Timestamp">When the key was written, UTC; zero (1970) in files of some programs.</param>
/// <param name="Kvno">The key's version number.</param>
/// <param name="EncryptionTypeNumber">The type as it stands in the file.</param>
/// <param name="Key">The key; null if the type is not implemented (RC4, DES), so that an error can say what is there instead.</param>
internal sealed record KeytabEntry(
    IReadOnlyList<string> Components,
    string Realm,
    int NameType,
    DateTimeOffset Timestamp,
    uint Kvno,
    int EncryptionTypeNumber,
    KerberosKey? Key)
{
    public string Principal { get; } = PrintableText.From($"{string.Join('/', Components)}@{Realm}");

    public KvnoWidth KvnoWidth { get; init; } = KvnoWidth.Full;

    public bool Names(ReadOnlySpan<string> components, string realm, StringComparison comparison)
    {
        if (components.Length != Components.Count || !string.Equals(realm, Realm, comparison))
            return false;
        for (var i = 0; i < components.Length; i++)
        {
            if (!string.Equals(components[i], Components[i], comparison))
                return false;
        }
        return true;
    }

    /// <summary>Whether a ticket that names <paramref name="kvno"/> can be meant for this key.</summary>
    public bool HasKvno(uint kvno) =>
        Kvno == kvno
        || (KvnoWidth == KvnoWidth.LowEightBits && Kvno == (kvno & 0xff))
        // The high half of a version from a read-only DC is the number of that DC (MS-KILE §3.1.5.8).
        || (kvno > 0xffff && Kvno == (kvno & 0xffff));
}

/// <summary>How much of the version number a keytab entry tells.</summary>
internal enum KvnoWidth
{
    /// <summary>All 32 bits.</summary>
    Full,

    /// <summary>Only the low eight: versions over 255 have wrapped around.</summary>
    LowEightBits,
}
