using System.Formats.Asn1;
using System.Text;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The ASN.1 types of RFC 4120 §5.2 that <see cref="AsnReader"/> does not support.</summary>
/// <remarks>All methods throw <see cref="AsnContentException"/>, which <see cref="MessageFormat.Decode"/> converts to <see
/// cref="KerberosException"/>.</remarks>
internal static class KerberosAsnReader
{
    private static readonly Asn1Tag GeneralString = new(UniversalTagNumber.GeneralString);
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a required field [n] EXPLICIT.</summary>
    public static AsnReader ReadField(this AsnReader sequence, int tag) =>
        sequence.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, tag));

    /// <summary>Reads an optional field [n] EXPLICIT. Returns null if the next field is another one.</summary>
    public static AsnReader? ReadOptionalField(this AsnReader sequence, int tag) =>
        sequence.HasData && sequence.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.ContextSpecific, tag))
            ? sequence.ReadField(tag)
            : null;

    /// <summary>Reads [APPLICATION n] EXPLICIT and returns the SEQUENCE in it.</summary>
    public static AsnReader ReadApplication(this AsnReader reader, int tag)
    {
        var inner = reader.ReadSequence(new Asn1Tag(TagClass.Application, tag));
        var sequence = inner.ReadSequence();
        inner.ThrowIfNotEmpty();
        return sequence;
    }

    /// <summary>Reads an Int32 (RFC 4120 §5.2.4).</summary>
    public static int ReadInt32(this AsnReader reader) =>
        reader.TryReadInt32(out var value) ? value : throw new AsnContentException("An integer is out of range.");

    /// <summary>Reads a UInt32 (RFC 4120 §5.2.4). Windows encodes kvnos and nonces above 2^31 as negative numbers, so these are
    /// accepted.</summary>
    public static uint ReadUInt32(this AsnReader reader) =>
        reader.TryReadInt64(out var value) && value is >= int.MinValue and <= uint.MaxValue
            ? unchecked((uint)value)
            : throw new AsnContentException("An integer is out of range.");

    /// <summary>Reads Microseconds (RFC 4120 §5.2.5): 0 to 999999.</summary>
    public static int ReadMicroseconds(this AsnReader reader) =>
        reader.ReadInt32() is >= 0 and <= 999_999 and var value ? value : throw new AsnContentException("Microseconds are out of range.");

    /// <summary>RFC 4120 §5.2.1 KerberosString, a GeneralString that holds UTF-8 in practice.</summary>
    public static string ReadKerberosString(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(GeneralString, out var bytes))
            throw new AsnContentException("A string has the constructed form.");
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
            throw new AsnContentException("A string has the constructed form.");
        var text = Encoding.UTF8.GetString(bytes.Span[..Math.Min(bytes.Length, 200)]);
        return string.Create(text.Length, text, (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
        }).TrimEnd('?');
    }

    /// <summary>RFC 4120 §5.2.3 KerberosTime, in UTC.</summary>
    public static DateTimeOffset ReadKerberosTime(this AsnReader reader) => reader.ReadGeneralizedTime();

    /// <summary>Reads KerberosFlags (RFC 4120 §5.2.8). Bit 0 is first; missing bits are zero, bits after the 32nd are ignored.</summary>
    public static uint ReadFlags(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveBitString(out _, out var bytes))
            throw new AsnContentException("Flags have the constructed form.");
        var flags = 0u;
        for (var i = 0; i < 4; i++)
            flags = (flags << 8) | (i < bytes.Length ? bytes.Span[i] : 0u);
        return flags;
    }

    /// <summary>Reads a primitive OCTET STRING as a slice of the message.</summary>
    public static ReadOnlyMemory<byte> ReadOctets(this AsnReader reader) =>
        reader.TryReadPrimitiveOctetString(out var bytes)
            ? bytes
            : throw new AsnContentException("An octet string has the constructed form.");

    /// <summary>Reads a SEQUENCE OF with at most 1,000 elements.</summary>
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
