using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The common entry point that decodes and encodes messages.</summary>
/// <remarks>Messages are bounded in length and depth, and only definite lengths are accepted. Every defect is a <see
/// cref="KerberosException"/>.</remarks>
internal static class MessageFormat
{
    /// <summary>The longest message that is decoded. MaxTokenSize of Windows is 48,000 bytes; a ticket with its evidence is far below this
    /// limit.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>The deepest nesting that is decoded. Messages of RFC 4120 have about a dozen levels.</summary>
    private const int MaxDepth = 32;

    public static T Decode<T>(string message, ReadOnlyMemory<byte> bytes, Func<AsnReader, T> read)
    {
        if (bytes.Length > MaxLength)
            throw KerberosException.Malformed(message, $"has {bytes.Length} bytes; at most {MaxLength} are accepted");
        ThrowIfUnbounded(message, bytes.Span);
        try
        {
            // X.690 §8.1.3: lengths that are not minimal occur in practice, hence BER. Indefinite lengths are rejected above.
            var reader = new AsnReader(bytes, AsnEncodingRules.BER);
            var value = read(reader);
            reader.ThrowIfNotEmpty();
            return value;
        }
        catch (AsnContentException error)
        {
            throw KerberosException.Malformed(message, "does not have the form required by its specification", error);
        }
    }

    /// <summary>Encodes a message with strict DER.</summary>
    /// <remarks>The writer uses BER mode only to accept a ticket whose received encoding has a length that is not minimal. Its own output
    /// is the same in both modes: lengths are definite and minimal, and Kerberos has no SET.</remarks>
    public static byte[] Encode(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        write(writer);
        var bytes = writer.Encode();
        writer.Reset(); // its buffer may have held keys
        return bytes;
    }

    /// <summary>Checks the whole tree without recursion: every length is definite and inside its parent, and the depth is
    /// bounded.</summary>
    private static void ThrowIfUnbounded(string message, ReadOnlySpan<byte> bytes)
    {
        Span<int> ends = stackalloc int[MaxDepth];
        var depth = 0;
        var end = bytes.Length;
        var position = 0;
        while (true)
        {
            while (position == end)
            {
                if (depth == 0)
                    return;
                end = ends[--depth];
            }
            var constructed = (bytes[position] & 0x20) != 0;
            if (!Asn1Tag.TryDecode(bytes[position..end], out _, out var tagLength))
                throw KerberosException.Malformed(message, "ends in a tag");
            position += tagLength;
            var length = ReadLength(message, bytes[position..end], out var lengthLength);
            position += lengthLength;
            if (length > end - position)
                throw KerberosException.Malformed(message, "is truncated, or a length in it is too large");
            if (!constructed)
            {
                position += length;
                continue;
            }
            if (depth == MaxDepth)
                throw KerberosException.Malformed(message, $"nests deeper than {MaxDepth} levels");
            ends[depth++] = end;
            end = position + length;
        }
    }

    private static int ReadLength(string message, ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 1;
        if (bytes.IsEmpty)
            throw KerberosException.Malformed(message, "ends in a length");
        var first = bytes[0];
        if (first < 0x80)
            return first;
        var count = first & 0x7F;
        // X.690 §8.1.3.6: 0x80 is the indefinite form. §8.1.3.5: four bytes hold every length that is accepted here.
        if (count is 0 or > 4 || bytes.Length <= count)
            throw KerberosException.Malformed(message, count == 0 ? "has an indefinite length" : "has an invalid length");
        var length = 0L;
        for (var i = 1; i <= count; i++)
            length = (length << 8) | bytes[i];
        consumed += count;
        return length <= MaxLength
            ? (int)length
            : throw KerberosException.Malformed(message, "is truncated, or a length in it is too large");
    }
}
