using System.Formats.Asn1;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The one door through which bytes of others become messages: bounded in length and depth, definite lengths only, and
/// whatever is wrong with them is a <see cref="KerberosException"/>.</summary>
internal static class MessageFormat
{
    /// <summary>MaxTokenSize of Windows is 48,000 bytes; a ticket with evidence beside it stays far below this.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>The deepest message of RFC 4120 nests about a dozen levels.</summary>
    private const int MaxDepth = 32;

    public static T Decode<T>(string message, ReadOnlyMemory<byte> bytes, Func<AsnReader, T> read)
    {
        if (bytes.Length > MaxLength)
            throw KerberosException.Malformed(message, $"has {bytes.Length} bytes, at most {MaxLength} are read");
        ThrowIfUnbounded(message, bytes.Span);
        try
        {
            // X.690 §8.1.3: lengths that are not minimal occur in the field, so BER; indefinite ones are refused above.
            var reader = new AsnReader(bytes, AsnEncodingRules.BER);
            var value = read(reader);
            reader.ThrowIfNotEmpty();
            return value;
        }
        catch (AsnContentException error)
        {
            throw KerberosException.Malformed(message, "is not of the form that the specification gives", error);
        }
    }

    /// <summary>Encodes with strict DER. The writer's mode is BER only so that it takes a ticket with a length that is not minimal as it
    /// came; what it writes by itself is the same in both modes (definite, minimal, and there is no SET in Kerberos).</summary>
    public static byte[] Encode(Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        write(writer);
        var bytes = writer.Encode();
        writer.Reset(); // keys may have passed through its buffer
        return bytes;
    }

    /// <summary>Walks the whole tree once without recursion: every length definite and inside its parent, no deeper than the bound.</summary>
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
                throw KerberosException.Malformed(message, "is cut off in a tag");
            position += tagLength;
            var length = ReadLength(message, bytes[position..end], out var lengthLength);
            position += lengthLength;
            if (length > end - position)
                throw KerberosException.Malformed(message, "is cut off, or a length in it is too long");
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
            throw KerberosException.Malformed(message, "is cut off in a length");
        var first = bytes[0];
        if (first < 0x80)
            return first;
        var count = first & 0x7F;
        // X.690 §8.1.3.6: 0x80 is the indefinite form; §8.1.3.5: four bytes hold any length that is read here.
        if (count is 0 or > 4 || bytes.Length <= count)
            throw KerberosException.Malformed(message, count == 0 ? "has an indefinite length" : "has a length that cannot be");
        var length = 0L;
        for (var i = 1; i <= count; i++)
            length = (length << 8) | bytes[i];
        consumed += count;
        return length <= MaxLength ? (int)length : throw KerberosException.Malformed(message, "is cut off, or a length in it is too long");
    }
}
