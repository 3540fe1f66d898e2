using System.Formats.Asn1;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The AP-REP message (RFC 4120 §5.5.2).</summary>
/// <remarks>AP-REP ::= [APPLICATION 15] SEQUENCE { pvno [0] INTEGER (5), msg-type [1] INTEGER (15), enc-part [2] EncryptedData
/// }.</remarks>
internal sealed record ApReply(EncryptedData EncryptedPart)
{
    public const int Tag = 15;

    public static ApReply Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("AP-REP", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        if (fields.ReadField(0).ReadInt32() != 5 || fields.ReadField(1).ReadInt32() != Tag)
            throw new AsnContentException("The protocol version or message type is wrong.");
        return new ApReply(EncryptedData.Read(fields.ReadField(2)));
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteInteger(0, 5);
        fields.WriteInteger(1, Tag);
        fields.WriteField(2, EncryptedPart.Write);
    }));
}

/// <summary>The encrypted part of an AP-REP (RFC 4120 §5.5.2).</summary>
/// <remarks>EncAPRepPart ::= [APPLICATION 27] SEQUENCE { ctime [0], cusec [1], subkey [2] OPTIONAL, seq-number [3] OPTIONAL
/// }.</remarks>
internal sealed record EncApReplyPart(DateTimeOffset Time, int Microseconds)
{
    public const int Tag = 27;

    /// <summary>Gets the key that the acceptor chose for messages. Owned by the caller of <see cref="DecodeWithKey"/>.</summary>
    public KerberosKey? Subkey { get; init; }

    public uint? SequenceNumber { get; init; }

    /// <summary>Reads the time only, for a proof after which no messages are wrapped.</summary>
    public static EncApReplyPart Decode(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("EncAPRepPart", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        return new EncApReplyPart(fields.ReadField(0).ReadKerberosTime(), fields.ReadField(1).ReadMicroseconds());
    });

    /// <summary>Reads all fields.</summary>
    public static EncApReplyPart DecodeWithKey(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("EncAPRepPart", bytes, reader =>
    {
        var fields = reader.ReadApplication(Tag);
        var time = fields.ReadField(0).ReadKerberosTime();
        var microseconds = fields.ReadField(1).ReadMicroseconds();
        var subkey = fields.ReadOptionalField(2) is { } key ? EncryptionKeyField.Read(key) : null;
        return new EncApReplyPart(time, microseconds) { Subkey = subkey, SequenceNumber = fields.ReadOptionalField(3)?.ReadUInt32() };
    });

    public byte[] Encode() => MessageFormat.Encode(writer => writer.WriteApplication(Tag, fields =>
    {
        fields.WriteTime(0, Time);
        fields.WriteInteger(1, Microseconds);
        if (Subkey is { } subkey)
            fields.WriteField(2, field => EncryptionKeyField.Write(field, subkey));
        if (SequenceNumber is { } number)
            fields.WriteInteger(3, number);
    }));
}
