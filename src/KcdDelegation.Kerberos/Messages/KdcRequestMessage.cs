using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The AS-REQ or TGS-REQ message (RFC 4120 §5.4.1).</summary>
/// <remarks>AS-REQ ::= [APPLICATION 10] KDC-REQ, TGS-REQ ::= [APPLICATION 12] KDC-REQ; KDC-REQ ::= SEQUENCE { pvno [1] INTEGER (5),
/// msg-type [2] INTEGER, padata [3] SEQUENCE OF PA-DATA OPTIONAL, req-body [4] KDC-REQ-BODY }.</remarks>
internal sealed record KdcRequestMessage(KdcMessageType Type, IReadOnlyList<PaData> PaData, ReadOnlyMemory<byte> EncodedBody)
{
    public static KdcRequestMessage Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("KDC-REQ", bytes, reader =>
    {
        var type = (KdcMessageType)reader.PeekTag().TagValue;
        if (type is not (KdcMessageType.AsRequest or KdcMessageType.TgsRequest))
            throw new AsnContentException("The message is neither an AS-REQ nor a TGS-REQ.");
        var fields = reader.ReadApplication((int)type);
        if (fields.ReadField(1).ReadInt32() != 5 || fields.ReadField(2).ReadInt32() != (int)type)
            throw new AsnContentException("The protocol version or message type is wrong.");
        var paData = fields.ReadOptionalField(3)?.ReadList(Messages.PaData.Read) ?? [];
        return new KdcRequestMessage(type, paData, fields.ReadField(4).ReadEncodedValue());
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication((int)Type, fields =>
    {
        fields.WriteInteger(1, 5);
        fields.WriteInteger(2, (int)Type);
        if (PaData.Count > 0)
            fields.WriteField(3, field => field.WriteList(PaData, static (w, entry) => entry.Write(w)));
        fields.WriteField(4, field => field.WriteEncodedValue(EncodedBody.Span));
    }));
}
