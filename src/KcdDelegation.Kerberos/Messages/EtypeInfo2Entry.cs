using System.Buffers.Binary;
using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>RFC 4120 §5.2.7.5: ETYPE-INFO2-ENTRY ::= SEQUENCE { etype [0] Int32, salt [1] KerberosString OPTIONAL,
/// s2kparams [2] OCTET STRING OPTIONAL }.</summary>
internal sealed record EtypeInfo2Entry(EncryptionType Type, string? Salt, ReadOnlyMemory<byte>? Parameters)
{
    /// <summary>RFC 3962 §4, RFC 8009 §4: four bytes, big-endian rounds of PBKDF2; null: the type's default.</summary>
    /// <exception cref="KerberosException">Another length than four bytes.</exception>
    public uint? Iterations => Parameters switch
    {
        null => null,
        { Length: 4 } bytes => BinaryPrimitives.ReadUInt32BigEndian(bytes.Span),
        _ => throw KerberosException.Malformed("ETYPE-INFO2", "has s2kparams that are not four bytes"),
    };

    public static EtypeInfo2Entry Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        return new EtypeInfo2Entry((EncryptionType)sequence.ReadField(0).ReadInt32(), sequence.ReadOptionalField(1)?.ReadKerberosString(), sequence.ReadOptionalField(2)?.ReadOctets());
    }

    public static List<EtypeInfo2Entry> DecodeList(ReadOnlyMemory<byte> bytes) => MessageFormat.Decode("ETYPE-INFO2", bytes, reader => reader.ReadList(Read));

    public static byte[] EncodeList(IEnumerable<EtypeInfo2Entry> entries) =>
        MessageFormat.Encode(writer => writer.WriteList(entries, static (w, entry) => entry.Write(w)));

    public void Write(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            writer.WriteInteger(0, (int)Type);
            if (Salt is { } salt)
                writer.WriteText(1, salt);
            if (Parameters is { } parameters)
                writer.WriteOctets(2, parameters);
        }
    }
}
