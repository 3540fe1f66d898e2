using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Files;

/// <summary>One key of one principal in a keytab.</summary>
/// <param name="Components">The components of the name, at least one.</param>
/// <param name="Realm">The realm.</param>
/// <param name="NameType">The name type (RFC 4120 §6.2). A number, because programs write arbitrary values.</param>
/// <param name="Timestamp">The time when the key was written, in UTC. Zero (1970) in the files of some programs.</param>
/// <param name="Kvno">The key's version number.</param>
/// <param name="EncryptionTypeNumber">The encryption type in the file.</param>
/// <param name="Key">The key, or null if the type is not implemented (RC4, DES), so that an error can name it.</param>
internal sealed record KeytabEntry(
    IReadOnlyList<string> Components,
    string Realm,
    int NameType,
    DateTimeOffset Timestamp,
    uint Kvno,
    int EncryptionTypeNumber,
    KerberosKey? Key)
{
    public string Principal { get; } = PrintableText.From($"{string.Join('/', Components)}@{Realm}", 256);

    public KvnoWidth KvnoWidth { get; init; } = KvnoWidth.Full;

    /// <summary>Returns whether the entry has this name and realm.</summary>
    public bool HasName(ReadOnlySpan<string> components, string realm, StringComparison comparison)
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

    /// <summary>Returns whether a ticket with the key version <paramref name="kvno"/> can be encrypted with this key.</summary>
    public bool HasKvno(uint kvno) =>
        Kvno == kvno
        || (KvnoWidth == KvnoWidth.LowEightBits && Kvno == (kvno & 0xff))
        // The high half of a version from a read-only DC identifies that DC (MS-KILE §3.1.5.8).
        || (kvno > 0xffff && Kvno == (kvno & 0xffff));
}

/// <summary>The number of bits of the key version that a keytab entry holds.</summary>
internal enum KvnoWidth
{
    /// <summary>All 32 bits.</summary>
    Full,

    /// <summary>Only the low eight bits: versions above 255 have wrapped around.</summary>
    LowEightBits,
}
