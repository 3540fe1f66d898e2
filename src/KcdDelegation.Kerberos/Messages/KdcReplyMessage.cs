using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The AS-REP or TGS-REP message (RFC 4120 §5.4.2).</summary>
/// <remarks>AS-REP ::= [APPLICATION 11] KDC-REP, TGS-REP ::= [APPLICATION 13] KDC-REP; KDC-REP ::= SEQUENCE { pvno [0] INTEGER (5),
/// msg-type [1] INTEGER, padata [2] OPTIONAL, crealm [3], cname [4], ticket [5], enc-part [6] }. Client name and realm are outside the
/// encrypted part and not authenticated: the caller must check them.</remarks>
internal sealed record KdcReplyMessage(
    KdcMessageType Type, IReadOnlyList<PaData> PaData, string ClientRealm, PrincipalName Client, Ticket Ticket, EncryptedData EncryptedPart)
{
    public static KdcReplyMessage Decode(KdcMessageType type, ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode(type == KdcMessageType.AsReply ? "AS-REP" : "TGS-REP", bytes, reader =>
        {
            var fields = reader.ReadApplication((int)type);
            if (fields.ReadField(0).ReadInt32() != 5 || fields.ReadField(1).ReadInt32() != (int)type)
                throw new AsnContentException("The protocol version or message type is wrong.");
            var paData = fields.ReadOptionalField(2)?.ReadList(Messages.PaData.Read) ?? [];
            var realm = fields.ReadField(3).ReadRealm();
            var client = PrincipalName.Read(fields.ReadField(4));
            var ticket = Ticket.Read(fields.ReadField(5));
            return new KdcReplyMessage(type, paData, realm, client, ticket, EncryptedData.Read(fields.ReadField(6)));
        });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication((int)Type, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteInteger(1, (int)Type);
        if (PaData.Count > 0)
            fields.WriteField(2, field => field.WriteList(PaData, static (w, entry) => entry.Write(w)));
        fields.WriteText(3, ClientRealm);
        fields.WriteField(4, Client.Write);
        fields.WriteField(5, Ticket.Write);
        fields.WriteField(6, EncryptedPart.Write);
    }));
}
