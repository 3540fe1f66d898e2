using System.Buffers;
using System.Buffers.Text;

namespace KcdDelegation.Token;

/// <summary>Base64url in its canonical form: no padding or white space (RFC 7515 §2), and the unused bits of the last character are zero
/// (RFC 4648 §3.5).</summary>
internal static class Base64UrlText
{
    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // The characters whose last four bits, or last two, are zero.
    private static readonly SearchValues<char> LastOfOneByte = SearchValues.Create("AQgw");
    private static readonly SearchValues<char> LastOfTwoBytes = SearchValues.Create("AEIMQUYcgkosw048");

    /// <summary>Decodes a text. Returns null if it is empty or not in the canonical form.</summary>
    /// <remarks>The decoder of the platform accepts padding and white space, and throws an exception for unused bits.</remarks>
    public static byte[]? Decode(ReadOnlySpan<char> text) => IsCanonical(text) ? Base64Url.DecodeFromChars(text) : null;

    private static bool IsCanonical(ReadOnlySpan<char> text) =>
        text.Length > 0 && !text.ContainsAnyExcept(Alphabet) && (text.Length % 4) switch
        {
            0 => true,
            2 => LastOfOneByte.Contains(text[^1]),
            3 => LastOfTwoBytes.Contains(text[^1]),
            _ => false,
        };
}
