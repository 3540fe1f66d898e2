using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The buffers of a PAC (MS-PAC §2.3).</summary>
/// <remarks>PACTYPE is cBuffers and Version, then for each buffer ulType, cbBufferSize and Offset (64 bits), all little-endian.</remarks>
internal static class PacBuffers
{
    /// <summary>KERB_VALIDATION_INFO (MS-PAC §2.5), the groups of an account. Every domain controller sends it.</summary>
    public const uint LogonInfo = 1;

    /// <summary>UPN_DNS_INFO (MS-PAC §2.10).</summary>
    public const uint UpnDnsInfo = 12;

    private const int HeaderLength = 8;
    private const int EntryLength = 16;

    /// <summary>Returns the PAC, or null if there is none.</summary>
    /// <exception cref="KerberosException">The authorization data is malformed.</exception>
    public static ReadOnlyMemory<byte>? Find(IEnumerable<AuthorizationDataEntry> authorizationData)
    {
        foreach (var entry in authorizationData)
        {
            // RFC 4120 §5.2.6.1: AD-IF-RELEVANT holds the PAC (MS-PAC §2.1).
            if (entry.Type == AuthorizationDataEntry.IfRelevant
                && AuthorizationDataEntry.DecodeList(entry.Data).Find(static inner => inner.Type == AuthorizationDataEntry.Pac) is { } pac)
                return pac.Data;
        }
        return null;
    }

    /// <summary>Finds the first buffer of a type.</summary>
    /// <exception cref="KerberosException">The PAC is malformed.</exception>
    public static bool TryGet(ReadOnlySpan<byte> pac, uint type, out ReadOnlySpan<byte> buffer)
    {
        buffer = default;
        if (!TryFindEntry(pac, type, out var entry))
            return false;
        var size = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
        if (offset > (ulong)pac.Length || size > (ulong)pac.Length - offset)
            throw Malformed();
        buffer = pac.Slice((int)offset, (int)size);
        return true;
    }

    /// <summary>Returns whether the PAC lists a buffer of a type.</summary>
    /// <exception cref="KerberosException">The PAC is malformed.</exception>
    public static bool Has(ReadOnlySpan<byte> pac, uint type) => TryFindEntry(pac, type, out _);

    /// <summary>Returns the types of the PAC's buffers in their order.</summary>
    /// <exception cref="KerberosException">The PAC is malformed.</exception>
    public static IReadOnlyList<uint> ListTypes(ReadOnlySpan<byte> pac)
    {
        var types = new uint[ReadCount(pac)];
        for (var i = 0; i < types.Length; i++)
            types[i] = BinaryPrimitives.ReadUInt32LittleEndian(pac[(HeaderLength + (EntryLength * i))..]);
        return types;
    }

    public static KerberosException Malformed() => KerberosException.Malformed("PAC", "has an invalid length or offset");

    private static bool TryFindEntry(ReadOnlySpan<byte> pac, uint type, out ReadOnlySpan<byte> entry)
    {
        entry = default;
        var count = ReadCount(pac);
        for (var i = 0; i < count; i++)
        {
            entry = pac.Slice(HeaderLength + (EntryLength * i), EntryLength);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) == type)
                return true;
        }
        return false;
    }

    private static int ReadCount(ReadOnlySpan<byte> pac)
    {
        if (pac.Length < HeaderLength)
            throw Malformed();
        var count = BinaryPrimitives.ReadUInt32LittleEndian(pac);
        return count <= (pac.Length - HeaderLength) / EntryLength ? (int)count : throw Malformed();
    }
}
