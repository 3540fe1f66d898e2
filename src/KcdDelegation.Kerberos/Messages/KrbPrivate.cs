using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The KRB-PRIV message (RFC 4120 §5.7.1).</summary>
/// <remarks>KRB-PRIV ::= [APPLICATION 21] SEQUENCE { pvno [0] INTEGER (5), msg-type [1] INTEGER (21), enc-part [3] EncryptedData
/// }.</remarks>
internal sealed record KrbPrivate(EncryptedData EncryptedPart)
{
    public const int Tag = 21;

    public static KrbPrivate Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("KRB-PRIV", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        if (fields.ReadField(0).ReadInt32() != 5 || fields.ReadField(1).ReadInt32() != Tag)
            throw new AsnContentException("The protocol version or message type is wrong.");
        return new KrbPrivate(EncryptedData.Read(fields.ReadField(3)));
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteInteger(1, Tag);
        fields.WriteField(3, EncryptedPart.Write);
    }));
}

/// <summary>The encrypted part of a KRB-PRIV (RFC 4120 §5.7.1).</summary>
/// <remarks>EncKrbPrivPart ::= [APPLICATION 28] SEQUENCE { user-data [0] OCTET STRING, timestamp [1] KerberosTime OPTIONAL, usec [2]
/// Microseconds OPTIONAL, seq-number [3] UInt32 OPTIONAL, s-address [4] HostAddress, r-address [5] HostAddress OPTIONAL }.</remarks>
internal sealed record EncKrbPrivatePart
{
    public const int Tag = 28;

    public required ReadOnlyMemory<byte> UserData { get; init; }
    public DateTimeOffset? Time { get; init; }
    public int? Microseconds { get; init; }
    public uint? SequenceNumber { get; init; }
    public required HostAddress Sender { get; init; }
    public HostAddress? Recipient { get; init; }

    public static EncKrbPrivatePart Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("EncKrbPrivPart", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        var data = fields.ReadField(0).ReadOctets();
        var time = fields.ReadOptionalField(1)?.ReadKerberosTime();
        var microseconds = fields.ReadOptionalField(2)?.ReadMicroseconds();
        var number = fields.ReadOptionalField(3)?.ReadUInt32();
        var sender = HostAddress.Read(fields.ReadField(4));
        return new EncKrbPrivatePart
        {
            UserData = data, Time = time, Microseconds = microseconds, SequenceNumber = number, Sender = sender,
            Recipient = fields.ReadOptionalField(5) is { } recipient ? HostAddress.Read(recipient) : null,
        };
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteOctets(0, UserData);
        if (Time is { } time)
            fields.WriteTime(1, time);
        if (Microseconds is { } microseconds)
            fields.WriteInteger(2, microseconds);
        if (SequenceNumber is { } number)
            fields.WriteInteger(3, number);
        fields.WriteField(4, Sender.Write);
        if (Recipient is { } recipient)
            fields.WriteField(5, recipient.Write);
    }));
}
