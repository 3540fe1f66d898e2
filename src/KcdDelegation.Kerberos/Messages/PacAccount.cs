using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The account that a ticket was issued for, from UPN_DNS_INFO (MS-PAC §2.10), buffer 12 of the PAC: the one place where the KDC
/// says which account it found for the name that it was asked for.</summary>
/// <param name="UserPrincipalName">The account's UPN.</param>
/// <param name="SamAccountName">Null if the KDC does not send the extended form (flag S).</param>
/// <param name="SecurityIdentifier">S-1-…; null as above.</param>
internal sealed record PacAccount(string UserPrincipalName, string? SamAccountName, string? SecurityIdentifier)
{
    private const uint UpnDnsInfo = 12;

    /// <summary>Flag S: the SAM name and the SID follow.</summary>
    private const uint HasSamNameAndSid = 2;

    /// <summary>Null where the ticket has no PAC, or the PAC no such buffer.</summary>
    /// <exception cref="KerberosException">There is one and it is malformed.</exception>
    public static PacAccount? Find(IEnumerable<AuthorizationDataEntry> authorizationData)
    {
        foreach (var entry in authorizationData)
        {
            // RFC 4120 §5.2.6.1: AD-IF-RELEVANT holds the PAC (MS-PAC §2.1).
            if (entry.Type == AuthorizationDataEntry.IfRelevant
                && AuthorizationDataEntry.DecodeList(entry.Data).Find(static inner => inner.Type == AuthorizationDataEntry.Pac) is { } pac)
                return FindBuffer(pac.Data.Span, UpnDnsInfo, out var buffer) ? Read(buffer) : null;
        }
        return null;
    }

    /// <summary>MS-PAC §2.3 PACTYPE: cBuffers, Version, then entries of ulType, cbBufferSize and Offset (64 bits), little-endian.</summary>
    private static bool FindBuffer(ReadOnlySpan<byte> pac, uint type, out ReadOnlySpan<byte> buffer)
    {
        buffer = default;
        if (pac.Length < 8)
            throw Malformed();
        var count = BinaryPrimitives.ReadUInt32LittleEndian(pac);
        if (count > (pac.Length - 8) / 16)
            throw Malformed();
        for (var i = 0; i < (int)count; i++)
        {
            var entry = pac.Slice(8 + (16 * i), 16);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) != type)
                continue;
            var size = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            if (offset > (ulong)pac.Length || size > (ulong)pac.Length - offset)
                throw Malformed();
            buffer = pac.Slice((int)offset, (int)size);
            return true;
        }
        return false;
    }

    private static PacAccount Read(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length < 12)
            throw Malformed();
        var name = Encoding.Unicode.GetString(Part(buffer, 0));
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(buffer[8..]);
        if ((flags & HasSamNameAndSid) == 0)
            return new PacAccount(name, null, null);
        if (buffer.Length < 20)
            throw Malformed();
        return new PacAccount(name, Encoding.Unicode.GetString(Part(buffer, 12)), ReadSid(Part(buffer, 16)));
    }

    /// <summary>Length and offset, 16 bits each.</summary>
    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> buffer, int position)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(buffer[position..]);
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(buffer[(position + 2)..]);
        return offset + length <= buffer.Length ? buffer.Slice(offset, length) : throw Malformed();
    }

    /// <summary>MS-DTYP §2.4.2.2: revision, count, authority (48 bits, big-endian), sub-authorities (32 bits, little-endian).</summary>
    private static string ReadSid(ReadOnlySpan<byte> sid)
    {
        if (sid.Length < 8 || sid[0] != 1 || sid[1] > 15 || sid.Length != 8 + (4 * sid[1]))
            throw Malformed();
        var authority = 0UL;
        foreach (var octet in sid.Slice(2, 6))
            authority = (authority << 8) | octet;
        var text = new StringBuilder("S-1-").Append(authority.ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < sid[1]; i++)
            text.Append('-').Append(BinaryPrimitives.ReadUInt32LittleEndian(sid[(8 + (4 * i))..]).ToString(CultureInfo.InvariantCulture));
        return text.ToString();
    }

    private static KerberosException Malformed() => KerberosException.Malformed("PAC", "has a length or an offset that cannot be");
}
