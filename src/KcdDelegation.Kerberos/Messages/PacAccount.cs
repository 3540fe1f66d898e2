using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The account that a ticket was issued for, from the PAC's UPN_DNS_INFO buffer (MS-PAC §2.10).</summary>
/// <remarks>Only this buffer states which account the KDC found for the requested name.</remarks>
/// <param name="UserPrincipalName">The account's UPN.</param>
/// <param name="SamAccountName">The SAM account name, or null if the KDC does not send the extended form (flag S).</param>
/// <param name="SecurityIdentifier">The SID (S-1-…), or null if the KDC does not send the extended form.</param>
internal sealed record PacAccount(string UserPrincipalName, string? SamAccountName, string? SecurityIdentifier)
{
    /// <summary>Flag S: the SAM account name and the SID follow.</summary>
    private const uint HasSamNameAndSid = 2;

    /// <summary>Returns the account, or null if the ticket has no PAC or the PAC has no such buffer.</summary>
    /// <exception cref="KerberosException">The PAC is malformed.</exception>
    public static PacAccount? Find(IEnumerable<AuthorizationDataEntry> authorizationData) =>
        PacBuffers.Find(authorizationData) is { } pac && PacBuffers.TryGet(pac.Span, PacBuffers.UpnDnsInfo, out var buffer)
            ? Read(buffer)
            : null;

    private static PacAccount Read(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length < 12)
            throw PacBuffers.Malformed();
        var name = Encoding.Unicode.GetString(ReadPart(buffer, 0));
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(buffer[8..]);
        if ((flags & HasSamNameAndSid) == 0)
            return new PacAccount(name, null, null);
        if (buffer.Length < 20)
            throw PacBuffers.Malformed();
        return new PacAccount(name, Encoding.Unicode.GetString(ReadPart(buffer, 12)), ReadSid(ReadPart(buffer, 16)));
    }

    /// <summary>Returns the part described by a length and an offset of 16 bits each.</summary>
    private static ReadOnlySpan<byte> ReadPart(ReadOnlySpan<byte> buffer, int position)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(buffer[position..]);
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(buffer[(position + 2)..]);
        return offset + length <= buffer.Length ? buffer.Slice(offset, length) : throw PacBuffers.Malformed();
    }

    /// <summary>Reads a SID (MS-DTYP §2.4.2.2): revision, count, authority (48 bits, big-endian), sub-authorities (32 bits,
    /// little-endian).</summary>
    private static string ReadSid(ReadOnlySpan<byte> sid)
    {
        if (sid.Length < 8 || sid[0] != 1 || sid[1] > 15 || sid.Length != 8 + (4 * sid[1]))
            throw PacBuffers.Malformed();
        var authority = 0UL;
        foreach (var octet in sid.Slice(2, 6))
            authority = (authority << 8) | octet;
        var text = new StringBuilder("S-1-").Append(authority.ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < sid[1]; i++)
            text.Append('-').Append(BinaryPrimitives.ReadUInt32LittleEndian(sid[(8 + (4 * i))..]).ToString(CultureInfo.InvariantCulture));
        return text.ToString();
    }
}
