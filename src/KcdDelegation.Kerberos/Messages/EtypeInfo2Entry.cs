using System.Buffers.Binary;
using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>An encryption type that the KDC has a key of, with its salt (RFC 4120 §5.2.7.5).</summary>
/// <remarks>ETYPE-INFO2-ENTRY ::= SEQUENCE { etype [0] Int32, salt [1] KerberosString OPTIONAL, s2kparams [2] OCTET STRING OPTIONAL
/// }.</remarks>
internal sealed record EtypeInfo2Entry(EncryptionType Type, string? Salt, ReadOnlyMemory<byte>? Parameters)
{
    /// <summary>The number of PBKDF2 rounds, a 32-bit big-endian integer (RFC 3962 §4, RFC 8009 §4). Null for the type's
    /// default.</summary>
    /// <exception cref="KerberosException">The parameters are not four bytes long.</exception>
    public uint? Iterations => Parameters switch
    {
        null => null,
        { Length: 4 } bytes => BinaryPrimitives.ReadUInt32BigEndian(bytes.Span),
        _ => throw KerberosException.Malformed("ETYPE-INFO2", "has s2kparams that are not four bytes long"),
    };

    public static EtypeInfo2Entry Read(AsnReader reader)
    {
        var sequence = reader.ReadSequence();
        var type = (EncryptionType)sequence.ReadField(0).ReadInt32();
        var salt = sequence.ReadOptionalField(1)?.ReadSalt();
        return new EtypeInfo2Entry(type, salt, sequence.ReadOptionalField(2)?.ReadOctets());
    }

    public static List<EtypeInfo2Entry> DecodeList(ReadOnlyMemory<byte> bytes) =>
        MessageFormat.Decode("ETYPE-INFO2", bytes, reader => reader.ReadList(Read));

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

    /// <summary>Returns a text for logs. It leaves out the salt, which can have any characters.</summary>
    public override string ToString() => Type.ToString();
}
