using System.Buffers;
using System.Globalization;
using System.Text;

namespace KcdDelegation.Http;

/// <summary>Finds text in a request target that ends it early, or that a backend could interpret in another way than the host
/// did.</summary>
/// <remarks>The host has decided by the path who may send the request. A backend that decodes the path again must not find another
/// one.</remarks>
internal static class TargetText
{
    /// <summary>The violation that an application can allow.</summary>
    public const string EncodedSlash = "contains an encoded slash or backslash below the path of InternalUrl";

    private const string UnicodeEscape = "contains an escape of the form %u, which is not one of RFC 3986";

    /// <summary>The number of times that a path is decoded. Servers behind servers decode twice; one more round is a margin.</summary>
    private const int MaxDecodings = 3;

    /// <summary>The character that represents all others in a decoded path.</summary>
    private const char Other = '\uFFFD';

    /// <summary>Visible ASCII without <c>#</c>, which starts a fragment (RFC 3986 §3.5). Every other character is a delimiter of the
    /// request line or must be encoded (RFC 9112 §3.2).</summary>
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create(string.Concat(Enumerable.Range(0x21, 0x7E - 0x20).Select(code => (char)code).Where(c => c != '#')));

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789ABCDEFabcdef");

    /// <summary>Returns what is wrong with a target, or null.</summary>
    /// <param name="pathAndQuery">The text that is sent in the request line.</param>
    /// <param name="path">The part of it before the query.</param>
    /// <param name="allowsEncodedSlashes">Whether the path may contain encoded slashes and backslashes.</param>
    public static string? FindViolation(ReadOnlySpan<char> pathAndQuery, ReadOnlySpan<char> path, bool allowsEncodedSlashes)
    {
        if (path is not ['/', ..])
            return "does not start with a slash";
        if (pathAndQuery.IndexOfAnyExcept(s_allowed) is >= 0 and var at)
            return string.Create(
                CultureInfo.InvariantCulture, $"contains the character U+{(int)pathAndQuery[at]:X4}, which must be encoded");
        // Most paths have none of these, and are the same decoded.
        if (!path.ContainsAny('%', '\\') && !path.Contains("/.", StringComparison.Ordinal))
            return null;
        if (path.Contains("%u", StringComparison.OrdinalIgnoreCase))
            return UnicodeEscape;
        return FindPathViolation(path.ToString(), allowsEncodedSlashes);
    }

    /// <summary>Checks the path as it is, and as a backend sees it after each decoding.</summary>
    private static string? FindPathViolation(string path, bool allowsEncodedSlashes)
    {
        var hasSlash = path.Contains('\\', StringComparison.Ordinal);
        for (var round = 0; round <= MaxDecodings; round++)
        {
            if (HasDotSegment(path))
                return "contains a dot segment";
            if (path.Contains('\0', StringComparison.Ordinal))
                return "contains an encoded NUL";
            if (HasUnicodeEscape(path))
                return UnicodeEscape;
            if (!path.Contains('%', StringComparison.Ordinal))
                break;
            path = Decode(path, ref hasSlash);
        }
        return hasSlash && !allowsEncodedSlashes ? EncodedSlash : null;
    }

    /// <summary>Determines whether a segment means the same or the parent folder.</summary>
    /// <remarks>Servers that remove path parameters first read <c>..;x</c> as <c>..</c>. Windows ignores blanks at the end of a
    /// name.</remarks>
    private static bool HasDotSegment(string path)
    {
        foreach (var range in path.AsSpan().SplitAny('/', '\\', '\uFF0F', '\uFF3C'))
        {
            var segment = path.AsSpan(range);
            if (segment.IndexOf(';') is >= 0 and var parameters)
                segment = segment[..parameters];
            if (segment.Trim("\t\n\v\f\r ") is "." or "..")
                return true;
        }
        return false;
    }

    /// <summary>Determines whether the path contains <c>%uXXXX</c>, which some servers decode as UTF-16.</summary>
    private static bool HasUnicodeEscape(string path)
    {
        for (var i = path.IndexOf("%u", StringComparison.OrdinalIgnoreCase); i >= 0;
            i = path.IndexOf("%u", i + 2, StringComparison.OrdinalIgnoreCase))
        {
            if (i + 6 <= path.Length && !path.AsSpan(i + 2, 4).ContainsAnyExcept(s_hexDigits))
                return true;
        }
        return false;
    }

    /// <summary>Decodes the escapes of a path as a tolerant server does, and determines whether one is a slash or a backslash.</summary>
    /// <remarks>Characters outside of ASCII are of no interest here and are replaced, except forms of a dot or a slash.</remarks>
    private static string Decode(string path, ref bool hasSlash)
    {
        var decoded = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length;)
        {
            if (!TryReadByte(path, i, out var value))
            {
                decoded.Append(path[i++]);
                continue;
            }
            i += 3;
            var c = value < 0x80 ? (char)value : ReadCharacter(path, value, ref i);
            hasSlash |= c is '/' or '\\';
            decoded.Append(c);
        }
        return decoded.ToString();
    }

    /// <summary>Reads a character of several bytes (RFC 3629 §3), also one in a longer form than necessary, which old servers
    /// accept.</summary>
    private static char ReadCharacter(string path, byte first, ref int position)
    {
        var following = first switch { >= 0xFC => 5, >= 0xF8 => 4, >= 0xF0 => 3, >= 0xE0 => 2, >= 0xC0 => 1, _ => 0 };
        var code = first & ((1 << (6 - following)) - 1);
        var end = position;
        for (var i = 0; i < following; i++, end += 3)
        {
            // C0 and C1 start no character, and servers that accept them may not check the next byte either.
            if (!TryReadByte(path, end, out var next) || !(next is >= 0x80 and < 0xC0 || (first < 0xC2 && next < 0x40)))
                return Other;
            code = (code << 6) | (next & 0x3F);
        }
        if (following == 0)
            return Other;
        position = end;
        return code switch
        {
            < 0x80 => (char)code,
            0xFF0E => '.',
            0xFF0F or 0xFF3C => (char)code,
            _ => Other,
        };
    }

    private static bool TryReadByte(string path, int position, out byte value)
    {
        value = 0;
        return position + 3 <= path.Length && path[position] == '%'
            && byte.TryParse(path.AsSpan(position + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
