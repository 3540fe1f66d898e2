using System.Buffers.Binary;
using System.Text;

namespace KcdDelegation.Testing.Pac;

/// <summary>The user of a PAC: the contents of the buffers CLIENT_INFO and UPN_DNS_INFO.</summary>
/// <param name="ClientName">MS-PAC §2.7: the name in the ticket; with @REALM in the TGT of a cross-realm S4U2Self (MS-SFU
/// §3.2.5.1.1).</param>
/// <param name="AuthTime">MS-PAC §2.7: the TGT's.</param>
/// <param name="UserPrincipalName">MS-PAC §2.10.</param>
/// <param name="DnsDomain">MS-PAC §2.10: the account's own realm.</param>
/// <param name="SamName">MS-PAC §2.10, extended form.</param>
/// <param name="Sid">MS-PAC §2.10, extended form: a SID packet.</param>
internal sealed record PacIdentity(
    string ClientName, DateTimeOffset AuthTime, string UserPrincipalName, string DnsDomain, string SamName, ReadOnlyMemory<byte> Sid)
{
    /// <summary>MS-PAC §2.10: the name was made from sAMAccountName and realm.</summary>
    private const uint NoUserPrincipalName = 1;

    /// <summary>MS-PAC §2.10: sAMAccountName and SID follow.</summary>
    private const uint Extended = 2;

    public bool NameIsImplied { get; init; }

    /// <summary>Encodes PAC_CLIENT_INFO (MS-PAC §2.7): ClientId (FILETIME), NameLength, Name.</summary>
    public byte[] EncodeClientInfo()
    {
        var name = Encoding.Unicode.GetBytes(ClientName);
        var buffer = new byte[10 + name.Length];
        BinaryPrimitives.WriteInt64LittleEndian(buffer, AuthTime.ToFileTime());
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(8), checked((ushort)name.Length));
        name.CopyTo(buffer, 10);
        return buffer;
    }

    /// <summary>Encodes UPN_DNS_INFO (MS-PAC §2.10): pairs of length and offset, flags between the second and the third.</summary>
    public byte[] EncodeUpnDnsInfo()
    {
        byte[][] values = [.. new[] { UserPrincipalName, DnsDomain, SamName }.Select(Encoding.Unicode.GetBytes), Sid.ToArray()];
        int[] heads = [0, 4, 12, 16];
        var offset = 24;
        var buffer = new byte[offset + values.Sum(value => Align(value.Length))];
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(8), Extended | (NameIsImplied ? NoUserPrincipalName : 0));
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(heads[i]), checked((ushort)values[i].Length));
            BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(heads[i] + 2), checked((ushort)offset));
            values[i].CopyTo(buffer, offset);
            offset += Align(values[i].Length);
        }
        return buffer;
    }

    public static PacIdentity Decode(ReadOnlySpan<byte> clientInfo, ReadOnlySpan<byte> upnDnsInfo)
    {
        var nameLength = BinaryPrimitives.ReadUInt16LittleEndian(clientInfo[8..]);
        return new PacIdentity(
            Encoding.Unicode.GetString(clientInfo.Slice(10, nameLength)),
            DateTimeOffset.FromFileTime(BinaryPrimitives.ReadInt64LittleEndian(clientInfo)).ToUniversalTime(),
            Encoding.Unicode.GetString(Value(upnDnsInfo, 0)),
            Encoding.Unicode.GetString(Value(upnDnsInfo, 4)),
            Encoding.Unicode.GetString(Value(upnDnsInfo, 12)),
            Value(upnDnsInfo, 16).ToArray())
        {
            NameIsImplied = (BinaryPrimitives.ReadUInt32LittleEndian(upnDnsInfo[8..]) & NoUserPrincipalName) != 0,
        };
    }

    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> buffer, int head)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(buffer[head..]);
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(buffer[(head + 2)..]);
        return buffer.Slice(offset, length);
    }

    private static int Align(int length) => (length + 7) & ~7;
}
