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
    private const int MaxFreeText = 200;

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

    /// <summary>Reads a name as KerberosString (RFC 4120 §5.2.1), a GeneralString that holds UTF-8 in practice.</summary>
    public static string ReadKerberosString(this AsnReader reader)
    {
        var text = reader.ReadSalt();
        // Names from messages are printed, logged and compared. The rule is the one of KerberosPrincipal.
        if (text.Length > 0 && NameCharacters.FindViolation(text, "A name") is { } reason)
            throw new AsnContentException($"{reason}.");
        return text;
    }

    /// <summary>Reads the salt of a key, a KerberosString that is input of key derivation only and may hold any character.</summary>
    public static string ReadSalt(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(GeneralString, out var bytes))
            throw new AsnContentException("A string has the constructed form.");
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException error)
        {
            throw new AsnContentException("A string is not UTF-8.", error);
        }
    }

    /// <summary>Reads a peer's free text (e-text) in printable form, truncated to 200 characters.</summary>
    public static string ReadFreeText(this AsnReader reader)
    {
        if (!reader.TryReadPrimitiveCharacterStringBytes(GeneralString, out var bytes))
            throw new AsnContentException("A string has the constructed form.");
        // MIT's KDC sends the terminating NUL of its text.
        return PrintableText.From(Encoding.UTF8.GetString(bytes.Span[..Math.Min(bytes.Length, MaxFreeText)]).TrimEnd('\0'), MaxFreeText);
    }

    /// <summary>Reads a realm (RFC 4120 §5.2.2).</summary>
    public static string ReadRealm(this AsnReader reader) =>
        reader.ReadKerberosString() is var realm && RealmName.IsValid(realm) ? realm
            : throw new AsnContentException("A realm is not in the domain style.");

    /// <summary>Reads a KerberosTime: <c>yyyyMMddHHmmssZ</c>, without fractions of a second or an offset (RFC 4120 §5.2.3).</summary>
    public static DateTimeOffset ReadKerberosTime(this AsnReader reader)
    {
        if (reader.PeekTag() != new Asn1Tag(UniversalTagNumber.GeneralizedTime))
            throw new AsnContentException("A time is not a primitive GeneralizedTime.");
        var text = reader.PeekContentBytes().Span;
        reader.ReadEncodedValue();
        return KerberosTimeText.TryParse(text, out var time) ? time
            : throw new AsnContentException("A time does not have the form yyyyMMddHHmmssZ.");
    }

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
