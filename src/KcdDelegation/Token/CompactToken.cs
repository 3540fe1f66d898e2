using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace KcdDelegation.Token;

/// <summary>A JWS in compact form (RFC 7515 §7.1), parsed strictly before any of its content is used. Nothing in it is authenticated
/// yet.</summary>
/// <remarks>Input that the token library would accept despite errors is refused here.</remarks>
/// <param name="KeyId">The <c>kid</c> of the key that the header names.</param>
/// <param name="IssuedAt">The value of <c>iat</c>, seconds since 1970 in UTC; null if it is absent.</param>
internal sealed record CompactToken(string KeyId, long? IssuedAt)
{
    /// <summary>The limit in characters. Servers limit the header fields of a request to about half of it.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>The accepted algorithms, all asymmetric. With HMAC, anyone who can verify a token can create one.</summary>
    public static readonly IReadOnlyList<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    // RFC 7519 §5.1 and RFC 9068 §2.1. The type may be absent; a token of another type is meant for another use (RFC 8725 §3.11).
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt"];

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // The characters whose last four bits, or last two, are zero.
    private static readonly SearchValues<char> LastOfOneByte = SearchValues.Create("AQgw");
    private static readonly SearchValues<char> LastOfTwoBytes = SearchValues.Create("AEIMQUYcgkosw048");

    /// <summary>Parses and validates the form of a token.</summary>
    /// <exception cref="KcdException">The token is malformed or has properties that are never accepted.</exception>
    public static CompactToken Parse(string token)
    {
        if (token.Length > MaxLength)
            throw TokenRefusal.TooLarge(token.Length, MaxLength);
        var parts = token.Split('.');
        if (parts.Length == 5)
            throw TokenRefusal.Encrypted();
        if (parts.Length != 3)
            throw TokenRefusal.Malformed("it does not have three parts separated by dots");
        var keyId = ReadHeader(Decode(parts[0], "header"));
        var payload = Decode(parts[1], "payload");
        if (!IsBase64Url(parts[2]))
            throw TokenRefusal.Malformed("its signature is not base64url");
        if (ReadOptionalTime(payload, "exp") is null)
            throw TokenRefusal.Malformed("it has no exp");
        ReadOptionalTime(payload, "nbf");
        return new CompactToken(keyId, ReadOptionalTime(payload, "iat"));
    }

    private static string ReadHeader(JsonElement header)
    {
        if (header.TryGetProperty("crit", out _))
            throw TokenRefusal.CriticalExtension();
        var algorithm = ReadOptionalText(header, "alg");
        if (algorithm is null || !Algorithms.Contains(algorithm, StringComparer.Ordinal))
            throw TokenRefusal.AlgorithmRefused(algorithm);
        if (ReadOptionalText(header, "typ") is { } type && !Types.Contains(type, StringComparer.OrdinalIgnoreCase))
            throw TokenRefusal.TypeRefused(type);
        return ReadOptionalText(header, "kid") is { Length: > 0 } keyId ? keyId : throw TokenRefusal.Malformed("its header has no kid");
    }

    private static string? ReadOptionalText(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw TokenRefusal.Malformed($"its {name} is not text");
    }

    /// <summary>Reads a NumericDate (RFC 7519 §2) in whole seconds, as all issuers send it. The library would also accept text.</summary>
    private static long? ReadOptionalTime(JsonElement payload, string name)
    {
        if (!payload.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds is >= 0 and <= 253_402_300_799
            ? seconds
            : throw TokenRefusal.Malformed($"its {name} is not a time in seconds");
    }

    private static JsonElement Decode(string part, string name)
    {
        if (!IsBase64Url(part))
            throw TokenRefusal.Malformed($"its {name} is not base64url");
        return StrictJson.ParseObject(Base64Url.DecodeFromChars(part), out var element) switch
        {
            StrictJsonResult.Object => element,
            StrictJsonResult.DuplicateMembers => throw TokenRefusal.DuplicateMembers(name),
            _ => throw TokenRefusal.Malformed($"its {name} is not one JSON object"),
        };
    }

    /// <summary>Determines whether a part is base64url in its canonical form.</summary>
    /// <remarks>It has no padding or white space (RFC 7515 §2), and the unused bits of its last character are zero (RFC 4648
    /// §3.5).</remarks>
    private static bool IsBase64Url(string part) =>
        part.Length > 0 && !part.AsSpan().ContainsAnyExcept(Alphabet) && (part.Length % 4) switch
        {
            0 => true,
            2 => LastOfOneByte.Contains(part[^1]),
            3 => LastOfTwoBytes.Contains(part[^1]),
            _ => false,
        };
}
