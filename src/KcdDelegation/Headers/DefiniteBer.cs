using System.Formats.Asn1;

namespace KcdDelegation.Headers;

/// <summary>Reads the tags of GSS and SPNEGO frames, in place and without recursion. Input that does not match yields false.</summary>
/// <remarks>Tags have one byte and lengths are definite. Lengths need not be minimal: some peers write 82 00 7f.</remarks>
internal static class DefiniteBer
{
    private const byte HighTagNumber = 0x1f;
    private const byte IndefiniteLength = 0x80;
    private const int MaxObjectIdentifierBytes = 64;

    public static bool TryRead(ref ReadOnlyMemory<byte> source, out byte tag, out ReadOnlyMemory<byte> contents)
    {
        (tag, contents) = (0, default);
        var span = source.Span;
        if (span.Length < 2 || (span[0] & HighTagNumber) == HighTagNumber || span[1] == IndefiniteLength
            || !AsnDecoder.TryReadEncodedValue(span, AsnEncodingRules.BER, out _, out var offset, out var length, out var consumed))
            return false;
        (tag, contents, source) = (span[0], source.Slice(offset, length), source[consumed..]);
        return true;
    }

    public static bool TryRead(ref ReadOnlyMemory<byte> source, byte expectedTag, out ReadOnlyMemory<byte> contents)
    {
        var rest = source;
        if (!TryRead(ref rest, out var tag, out contents) || tag != expectedTag)
            return false;
        source = rest;
        return true;
    }

    public static bool TryReadObjectIdentifier(ref ReadOnlyMemory<byte> source, out string identifier)
    {
        identifier = "";
        var start = source;
        if (!TryRead(ref source, BerTag.ObjectIdentifier, out var contents) || contents.Length > MaxObjectIdentifierBytes)
            return false;
        try
        {
            identifier = AsnDecoder.ReadObjectIdentifier(start.Span, AsnEncodingRules.BER, out _);
            return true;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}

/// <summary>The identifier octets of the frames of RFC 2743 §3.1, RFC 4178 §4.2 and RFC 4120 §5.</summary>
internal static class BerTag
{
    public const byte OctetString = 0x04;
    public const byte ObjectIdentifier = 0x06;
    public const byte Enumerated = 0x0a;
    public const byte Sequence = 0x30;

    /// <summary>[APPLICATION 0]: InitialContextToken.</summary>
    public const byte GssToken = 0x60;

    /// <summary>[APPLICATION 14], [APPLICATION 15], [APPLICATION 30].</summary>
    public const byte ApRequest = 0x6e, ApReply = 0x6f, KrbError = 0x7e;

    /// <summary>Returns the tag [n], constructed: a field of a SPNEGO message, or with 0 and 1 the choice between the two
    /// messages.</summary>
    public static byte Context(int number) => (byte)(0xa0 + number);
}
