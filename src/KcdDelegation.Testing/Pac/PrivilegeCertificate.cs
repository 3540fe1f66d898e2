using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Pac;

/// <summary>MS-PAC §2.3 PACTYPE with the buffers that identify the user. There is no KERB_VALIDATION_INFO, since the kit reads no
/// groups.</summary>
internal static class PrivilegeCertificate
{
    private const int ServerSignature = 6;
    private const int KdcSignature = 7;
    private const int ClientInfo = 10;
    private const int UpnDnsInfo = 12;
    private const int Attributes = 17;
    private const int Requestor = 18;

    /// <summary>An unknown type that takes the space of groups and claims.</summary>
    private const int Padding = 0x7F000001;

    /// <summary>MS-PAC §2.8: KERB_NON_KERB_CKSUM_SALT.</summary>
    private const KeyUsage SignatureUsage = (KeyUsage)17;

    /// <param name="identity">The user.</param>
    /// <param name="serviceKey">The key of the ticket that contains the PAC.</param>
    /// <param name="kdcKey">The key of krbtgt.</param>
    /// <param name="minimumSize">The minimum size in bytes. A padding buffer fills it.</param>
    public static AuthorizationDataEntry Create(PacIdentity identity, KerberosKey serviceKey, KerberosKey kdcKey, int minimumSize)
    {
        var buffers = new List<(int Type, byte[] Data)>
        {
            (ClientInfo, identity.EncodeClientInfo()),
            (UpnDnsInfo, identity.EncodeUpnDnsInfo()),
            (Attributes, [2, 0, 0, 0, 1, 0, 0, 0]), // MS-PAC §2.14: two bits, PAC_WAS_REQUESTED
            (Requestor, identity.Sid.ToArray()), // MS-PAC §2.15
            (ServerSignature, EmptySignature(serviceKey)),
            (KdcSignature, EmptySignature(kdcKey)),
        };
        var missing = minimumSize - Assemble(buffers).Length - 16;
        if (missing > 0)
            buffers.Insert(0, (Padding, RandomNumberGenerator.GetBytes(missing & ~7)));

        // MS-PAC §2.8.1, §2.8.2: the server's signature covers the PAC with both signatures zero, the KDC's covers the server's.
        var server = serviceKey.Checksum(SignatureUsage, Assemble(buffers));
        server.CopyTo(buffers[^2].Data, 4);
        kdcKey.Checksum(SignatureUsage, server).CopyTo(buffers[^1].Data, 4);
        var pac = new AuthorizationDataEntry(AuthorizationDataEntry.Pac, Assemble(buffers));
        var list = MessageFormat.Encode(writer => AuthorizationDataEntry.WriteList(writer, [pac]));
        return new AuthorizationDataEntry(AuthorizationDataEntry.IfRelevant, list);
    }

    /// <summary>Reads the user from a ticket's authorization data; null: there is no PAC.</summary>
    public static PacIdentity? Read(IEnumerable<AuthorizationDataEntry> authorizationData)
    {
        var pac = authorizationData
            .Where(entry => entry.Type == AuthorizationDataEntry.IfRelevant)
            .SelectMany(entry => AuthorizationDataEntry.DecodeList(entry.Data))
            .FirstOrDefault(entry => entry.Type == AuthorizationDataEntry.Pac)?.Data;
        return pac is { } bytes ? PacIdentity.Decode(Buffer(bytes.Span, ClientInfo), Buffer(bytes.Span, UpnDnsInfo)) : null;
    }

    // MS-PAC §2.3, §2.4: count, version 0, then type, size and offset (64 bits) of each; every buffer begins at a multiple of 8.
    private static byte[] Assemble(List<(int Type, byte[] Data)> buffers)
    {
        var offset = 8 + (16 * buffers.Count);
        var bytes = new byte[offset + buffers.Sum(buffer => Align(buffer.Data.Length))];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, buffers.Count);
        for (var i = 0; i < buffers.Count; i++)
        {
            var head = bytes.AsSpan(8 + (16 * i));
            BinaryPrimitives.WriteInt32LittleEndian(head, buffers[i].Type);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], buffers[i].Data.Length);
            BinaryPrimitives.WriteInt64LittleEndian(head[8..], offset);
            buffers[i].Data.CopyTo(bytes, offset);
            offset += Align(buffers[i].Data.Length);
        }
        return bytes;
    }

    private static ReadOnlySpan<byte> Buffer(ReadOnlySpan<byte> pac, int type)
    {
        for (var i = 0; i < BinaryPrimitives.ReadInt32LittleEndian(pac); i++)
        {
            var head = pac.Slice(8 + (16 * i), 16);
            if (BinaryPrimitives.ReadInt32LittleEndian(head) == type)
                return pac.Slice((int)BinaryPrimitives.ReadInt64LittleEndian(head[8..]), BinaryPrimitives.ReadInt32LittleEndian(head[4..]));
        }
        throw new InvalidOperationException($"The PAC has no buffer of type {type}.");
    }

    private static byte[] EmptySignature(KerberosKey key)
    {
        var data = new byte[4 + key.Profile.ChecksumLength];
        BinaryPrimitives.WriteInt32LittleEndian(data, (int)key.Profile.ChecksumType);
        return data;
    }

    private static int Align(int length) => (length + 7) & ~7;
}
