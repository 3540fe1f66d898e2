using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Text;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The ASN.1 types of RFC 4120 §5.2 that <see cref="AsnWriter"/> does not support.</summary>
internal static class KerberosAsnWriter
{
    /// <summary>Writes a field [n] EXPLICIT.</summary>
    public static void WriteField(this AsnWriter writer, int tag, Action<AsnWriter> write)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, tag)))
            write(writer);
    }

    /// <summary>Writes [APPLICATION n] EXPLICIT around a SEQUENCE.</summary>
    public static void WriteApplication(this AsnWriter writer, int tag, Action<AsnWriter> writeFields)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.Application, tag)))
        using (writer.PushSequence())
            writeFields(writer);
    }

    public static void WriteInteger(this AsnWriter writer, int tag, long value) =>
        writer.WriteField(tag, field => field.WriteInteger(value));

    public static void WriteOctets(this AsnWriter writer, int tag, ReadOnlyMemory<byte> value) =>
        writer.WriteField(tag, field => field.WriteOctetString(value.Span));

    public static void WriteText(this AsnWriter writer, int tag, string value) =>
        writer.WriteField(tag, field => field.WriteKerberosString(value));

    public static void WriteTime(this AsnWriter writer, int tag, DateTimeOffset value) =>
        // RFC 4120 §5.2.3: no fractional seconds.
        writer.WriteField(tag, field => field.WriteGeneralizedTime(value.ToUniversalTime(), omitFractionalSeconds: true));

    public static void WriteFlags(this AsnWriter writer, int tag, uint flags) => writer.WriteField(tag, field =>
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, flags);
        // RFC 4120 §5.2.8: always 32 bits, including trailing zeros.
        field.WriteBitString(bytes);
    });

    public static void WriteList<T>(this AsnWriter writer, IEnumerable<T> elements, Action<AsnWriter, T> writeElement)
    {
        using (writer.PushSequence())
        {
            foreach (var element in elements)
                writeElement(writer, element);
        }
    }

    /// <summary>Writes a KerberosString (RFC 4120 §5.2.1): a GeneralString (27), which AsnWriter rejects, of UTF-8 bytes as in every
    /// implementation.</summary>
    public static void WriteKerberosString(this AsnWriter writer, string value)
    {
        const int maxHeader = 6;
        var count = Encoding.UTF8.GetByteCount(value);
        var encoded = new byte[maxHeader + count];
        var header = WriteHeader(encoded, (byte)UniversalTagNumber.GeneralString, count);
        Encoding.UTF8.GetBytes(value, encoded.AsSpan(header));
        writer.WriteEncodedValue(encoded.AsSpan(0, header + count));
    }

    /// <summary>Writes a tag and a definite length in DER's shortest form (X.690 §10.1). Returns the number of bytes written.</summary>
    public static int WriteHeader(Span<byte> destination, byte tag, int length)
    {
        destination[0] = tag;
        if (length < 0x80)
        {
            destination[1] = (byte)length;
            return 2;
        }
        var bytes = HeaderLength(length) - 2;
        destination[1] = (byte)(0x80 | bytes);
        for (var i = 0; i < bytes; i++)
            destination[2 + i] = (byte)(length >> (8 * (bytes - 1 - i)));
        return 2 + bytes;
    }

    /// <summary>Returns the length in bytes of a one-byte tag and its length field.</summary>
    public static int HeaderLength(int length) => length switch { < 0x80 => 2, < 0x100 => 3, < 0x10000 => 4, < 0x1000000 => 5, _ => 6 };
}
