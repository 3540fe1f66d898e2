using System.Formats.Asn1;
using System.Text;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The ASN.1 types of RFC 4120 §5.2 that <see cref="AsnReader"/> does not know. All throw <see cref="AsnContentException"/>,
/// which <see cref="MessageFormat.Decode"/> turns into the error that callers see.</summary>
internal static class KerberosAsnReader
{
    private static readonly Asn1Tag GeneralString = new(UniversalTagNumber.GeneralString);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>[n] EXPLICIT, required.</summary>
    public static AsnReader ReadField(this AsnReader sequence, int tag) =>
        sequence.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, tag));

    /// <summary>[n] EXPLICIT OPTIONAL: null when the next field is another one.</summary>
    public static AsnReader? ReadOptionalField(this AsnReader sequence, int tag) =>
        sequence.HasData && sequence.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, tag)) ? sequence.ReadField(tag) : null;

    /// <summary>[APPLICATION n] EXPLICIT around a SEQUENCE: gives the sequence.</summary>
    public static AsnReader ReadApplication(this AsnReader reader, int tag)
    {
        var inner = reader.ReadSequence(new Asn1Tag(TagClass.Application, tag));
        var sequence = inner.ReadSequence();
        inner.ThrowIfNotEmpty();
        return sequence;
    }

    /// <summary>RFC 4120 §5.2.4 Int32.</summary>
    public static int ReadInt32(this AsnReader reader) =>
        reader.TryReadInt32(out var value) ? value : throw new AsnContentException("An integer is out of range.");

    /// <summary>RFC 4120 §5.2.4 UInt32; Windows encodes kvnos and nonces over 2^31 as negative numbers, so the bits are taken.</summary>
    public static uint ReadUInt32(this AsnReader reader) =>
        reader.TryReadInt64(out var value) && value is >= int.MinValue and <= uint.MaxValue
            ? unchecked((uint)value)
            : throw new AsnContentException("An integer is out of range.");

    /// <summary>RFC 4120 §5.2.5 Microseconds: 0 to 999999.</summary>
    public static int ReadMicroseconds(this AsnReader reader) =>
        reader.ReadInt32() is >= 0 and <= 999_999 and var value ? value : throw new AsnContentException("Microseconds are out of range.");

    /// <summary>RFC 4120 §5.2.1 KerberosString, a GeneralString that holds UTF-8 in practice.</summary>
    public static string ReadKerberosString(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(GeneralString, out var bytes))
            throw new AsnContentException("A string is constructed.");
        string text;
        try
        {
            text = StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException error)
        {
            throw new AsnContentException("A string is not UTF-8.", error);
        }
        // Names that come from the wire are printed, logged and compared: refuse what KerberosPrincipal refuses.
        if (text.Length > 0 && KerberosNameRules.FindViolation(text, "a string") is { } why)
            throw new AsnContentException(why);
        return text;
    }

    /// <summary>Free text of a peer (e-text): whatever is not printable becomes '?', and it is cut to 200 characters.</summary>
    public static string ReadFreeText(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(GeneralString, out var bytes))
            throw new AsnContentException("A string is constructed.");
        var text = Encoding.UTF8.GetString(bytes.Span[..Math.Min(bytes.Length, 200)]);
        return string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        }).TrimEnd('?');
    }

    /// <summary>RFC 4120 §5.2.3 KerberosTime, in UTC.</summary>
    public static DateTimeOffset ReadKerberosTime(this AsnReader reader) => reader.ReadGeneralizedTime();

    /// <summary>RFC 4120 §5.2.8 KerberosFlags: at least 32 bits, bit 0 first; missing ones are zero, further ones ignored.</summary>
    public static uint ReadFlags(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveBitString(out _, out var bytes))
            throw new AsnContentException("Flags are constructed.");
        var flags = 0u;
        for (var i = 0; i < 4; i++)
            flags = (flags << 8) | (i < bytes.Length ? bytes.Span[i] : 0u);
        return flags;
    }

    /// <summary>An OCTET STRING in one piece, as a slice of the message.</summary>
    public static ReadOnlyMemory<byte> ReadOctets(this AsnReader reader) =>
        reader.TryReadPrimitiveOctetString(out var bytes) ? bytes : throw new AsnContentException("An octet string is constructed.");

    /// <summary>SEQUENCE OF, of at most 1,000 elements.</summary>
    public static List<T> ReadList<T>(this AsnReader reader, Func<AsnReader, T> readElement)
    {
        var sequence = reader.ReadSequence();
        var list = new List<T>();
        while (sequence.HasData)
        {
            if (list.Count == 1000)
                throw new AsnContentException("A list is too long.");
            list.Add(readElement(sequence));
        }
        return list;
    }
}
