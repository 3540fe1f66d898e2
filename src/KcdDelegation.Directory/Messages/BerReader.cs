using System.Formats.Asn1;
using System.Text;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>The encodings of RFC 4511 §5.1: BER with definite lengths, and primitive strings.</summary>
/// <remarks>All methods throw <see cref="AsnContentException"/> for other encodings.</remarks>
internal static class BerReader
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static AsnReader Create(ReadOnlyMemory<byte> bytes) => new(bytes, AsnEncodingRules.BER);

    public static AsnReader ReadDefinite(this AsnReader reader, Asn1Tag? tag = null)
    {
        ThrowIfIndefinite(reader);
        return reader.ReadSequence(tag);
    }

    public static AsnReader ReadDefiniteSet(this AsnReader reader)
    {
        ThrowIfIndefinite(reader);
        return reader.ReadSetOf();
    }

    public static ReadOnlyMemory<byte> ReadOctets(this AsnReader reader, Asn1Tag? tag = null) =>
        reader.TryReadPrimitiveOctetString(out var value, tag)
            ? value
            : throw new AsnContentException("A string has the constructed form.");

    /// <summary>Reads an LDAPString (RFC 4511 §4.1.2).</summary>
    public static string ReadText(this AsnReader reader, Asn1Tag? tag = null)
    {
        try
        {
            return s_strictUtf8.GetString(reader.ReadOctets(tag).Span);
        }
        catch (DecoderFallbackException error)
        {
            throw new AsnContentException("A text is not UTF-8.", error);
        }
    }

    public static int ReadInt32(this AsnReader reader) =>
        reader.TryReadInt32(out var value) ? value : throw new AsnContentException("An integer is out of range.");

    public static bool IsNext(this AsnReader reader, Asn1Tag tag) => reader.HasData && reader.PeekTag().HasSameClassAndValue(tag);

    private static void ThrowIfIndefinite(AsnReader reader)
    {
        // Tags of the protocol have one byte, so the length follows at once. X.690 §8.1.3.6: 80 is the indefinite form.
        var value = reader.PeekEncodedValue().Span;
        if ((value[0] & 0x1F) == 0x1F || value[1] == 0x80)
            throw new AsnContentException("A length has the indefinite form.");
    }
}
