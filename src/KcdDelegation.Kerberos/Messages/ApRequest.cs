using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The AP-REQ message (RFC 4120 §5.5.1).</summary>
/// <remarks>AP-REQ ::= [APPLICATION 14] SEQUENCE { pvno [0] INTEGER (5), msg-type [1] INTEGER (14), ap-options [2], ticket [3],
/// authenticator [4] EncryptedData }.</remarks>
internal sealed record ApRequest(uint Options, Ticket Ticket, EncryptedData Authenticator)
{
    public const int Tag = 14;

    /// <summary>mutual-required(2).</summary>
    public const uint MutualRequired = 0x20000000;

    public static ApRequest Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("AP-REQ", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        if (fields.ReadField(0).ReadInt32() != 5 || fields.ReadField(1).ReadInt32() != Tag)
            throw new AsnContentException("The protocol version or message type is wrong.");
        return new ApRequest(fields.ReadField(2).ReadFlags(), Ticket.Read(fields.ReadField(3)), EncryptedData.Read(fields.ReadField(4)));
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteInteger(1, Tag);
        fields.WriteFlags(2, Options);
        fields.WriteField(3, Ticket.Write);
        fields.WriteField(4, Authenticator.Write);
    }));
}
