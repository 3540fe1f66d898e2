using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The value of a session's cookie: 256 random bits. The session is stored under their hash.</summary>
/// <param name="Text">The value, in base64url.</param>
/// <param name="Hash">The SHA-256 hash of the random bits, in lower-case hexadecimal digits. The value cannot be derived from it.</param>
internal readonly record struct SessionReference(string Text, string Hash)
{
    private const int Length = 32;

    /// <summary>The length of the text: 43 characters encode 32 bytes.</summary>
    private const int TextLength = 43;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>Creates a reference from new random bits.</summary>
    public static SessionReference Create() => From(RandomNumberGenerator.GetBytes(Length));

    /// <summary>Parses the value of a cookie. Only the canonical encoding is a reference.</summary>
    public static bool TryParse(string? text, out SessionReference reference)
    {
        reference = default;
        Span<byte> bytes = stackalloc byte[Length + 1];
        if (text?.Length != TextLength || !Base64Url.IsValid(text, out var length) || length != Length
            || !Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != Length)
            return false;
        reference = From(bytes[..Length]);
        return reference.Text == text;
    }

    /// <summary>Determines whether a text has the form of a hash, so that it can be the name of a file.</summary>
    public static bool IsHash(ReadOnlySpan<char> text) =>
        text.Length == 2 * SHA256.HashSizeInBytes && IsHexadecimal(text);

    /// <summary>Determines whether a text has only lower-case hexadecimal digits.</summary>
    public static bool IsHexadecimal(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);

    /// <summary>Returns the hash only, so that no log shows the reference.</summary>
    public override string ToString() => Hash;

    private static SessionReference From(ReadOnlySpan<byte> bytes) =>
        new(Base64Url.EncodeToString(bytes), Convert.ToHexStringLower(SHA256.HashData(bytes)));
}
