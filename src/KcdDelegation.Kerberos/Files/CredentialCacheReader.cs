using System.Text;
using KcdDelegation.Kerberos.Binary;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The positions of the parts of a credential cache file in the MIT format, version 0504.</summary>
/// <remarks>All integers are big-endian.
/// <code>
/// file       ::= 05 04, uint16 length, header fields, principal, { credential }
/// principal  ::= uint32 name type, uint32 components, counted realm, { counted component }
/// credential ::= client principal, server principal, uint16 key type, counted key, uint32 auth, start, end and renew time,
///                uint8 is-skey, uint32 flags, uint32 n, n addresses, uint32 n, n authorization data, counted ticket, counted second ticket
/// address, authorization data ::= uint16 type, counted data
/// counted    ::= uint32 length, bytes
/// </code></remarks>
/// <param name="DefaultPrincipal">The owner of the cache.</param>
/// <param name="Head">The bytes before the first credential.</param>
/// <param name="Entries">The credentials in file order, including settings.</param>
internal sealed record CredentialCacheLayout(CachePrincipal DefaultPrincipal, Range Head, IReadOnlyList<CredentialCacheEntry> Entries);

/// <param name="Client">The ticket's client.</param>
/// <param name="Server">The service. A setting has a name in the realm <c>X-CACHECONF:</c>.</param>
/// <param name="Bytes">The position of the entry in the file.</param>
internal sealed record CredentialCacheEntry(CachePrincipal Client, CachePrincipal Server, Range Bytes)
{
    /// <summary>Whether the entry is a setting that MIT's library stores as a credential. It holds no ticket.</summary>
    public bool IsSetting => string.Equals(Server.Realm, "X-CACHECONF:", StringComparison.Ordinal);
}

/// <summary>The reader of the layout. It does not copy keys or tickets.</summary>
internal static class CredentialCacheReader
{
    /// <exception cref="InvalidDataException">The file is malformed. The message is the predicate of a sentence whose subject is the file
    /// name.</exception>
    public static CredentialCacheLayout Read(ReadOnlySpan<byte> file)
    {
        var reader = new BigEndianReader(file);
        if (file.Length < 2 || file[0] != 5)
            throw new InvalidDataException("is not a credential cache: it does not start with the bytes 05 04");
        if (reader.ReadUInt16() is var version && version != 0x0504)
            throw new InvalidDataException($"is a credential cache of version {version:x4}; only 0504 is supported");
        reader.ReadBytes(reader.ReadUInt16());
        var principal = ReadPrincipal(ref reader);
        var head = ..reader.Position;

        var entries = new List<CredentialCacheEntry>();
        while (reader.Remaining > 0)
            entries.Add(ReadEntry(ref reader));
        return new CredentialCacheLayout(principal, head, entries);
    }

    private static CredentialCacheEntry ReadEntry(ref BigEndianReader reader)
    {
        var start = reader.Position;
        var client = ReadPrincipal(ref reader);
        var server = ReadPrincipal(ref reader);
        reader.ReadUInt16();
        SkipCounted(ref reader);
        reader.ReadBytes((4 * 4) + 1 + 4);
        for (var list = 0; list < 2; list++)
        {
            for (var left = reader.ReadUInt32(); left > 0; left--)
            {
                reader.ReadUInt16();
                SkipCounted(ref reader);
            }
        }
        SkipCounted(ref reader);
        SkipCounted(ref reader);
        return new CredentialCacheEntry(client, server, start..reader.Position);
    }

    private static CachePrincipal ReadPrincipal(ref BigEndianReader reader)
    {
        var type = reader.ReadInt32();
        var count = reader.ReadUInt32();
        // Each component takes at least four bytes. A count that is too large is rejected before memory is allocated for it.
        if (count > reader.Remaining / 4)
            throw new InvalidDataException($"is truncated: the name at byte {reader.Position} has {count} components");
        var realm = ReadText(ref reader);
        var components = new string[count];
        for (var i = 0; i < components.Length; i++)
            components[i] = ReadText(ref reader);
        return new CachePrincipal(new PrincipalName(type, components), realm);
    }

    private static string ReadText(ref BigEndianReader reader) => Encoding.UTF8.GetString(reader.ReadBytes(reader.ReadUInt32()));

    private static void SkipCounted(ref BigEndianReader reader) => reader.ReadBytes(reader.ReadUInt32());
}
