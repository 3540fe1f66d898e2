using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace KcdDelegation.Token;

/// <summary>A JWS in compact form (RFC 7515 §7.1), read strictly before anything of it is used: what the token library would let pass is
/// refused here. Nothing in it is authentic yet.</summary>
/// <param name="KeyId">The <c>kid</c> of the key that is said to have signed it.</param>
/// <param name="IssuedAt">Seconds since 1970, UTC; null if it does not say.</param>
internal sealed record CompactToken(string KeyId, long? IssuedAt)
{
    /// <summary>In characters. Header fields of a request end at about half of it.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Asymmetric only: with HMAC, whoever can check a token can make one.</summary>
    public static readonly IReadOnlyList<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    // RFC 7519 §5.1 and RFC 9068 §2.1; absent is allowed, another type is a token for another use (RFC 8725 §3.11).
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt"];

    private static readonly SearchValues<char> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // The characters whose last four bits, or last two, are zero.
    private static readonly SearchValues<char> LastOfOneByte = SearchValues.Create("AQgw");
    private static readonly SearchValues<char> LastOfTwoBytes = SearchValues.Create("AEIMQUYcgkosw048");

    /// <exception cref="KcdException">It is not a token that could be believed.</exception>
    public static CompactToken Parse(string token)
    {
        if (token.Length > MaxLength)
            throw TokenRefusal.TooLarge(token.Length, MaxLength);
        var parts = token.Split('.');
        if (parts.Length == 5)
            throw TokenRefusal.Encrypted();
        if (parts.Length != 3)
            throw TokenRefusal.Malformed("it has not three parts separated by dots");
        var keyId = ReadHeader(Decode(parts[0], "header"));
        var payload = Decode(parts[1], "payload");
        if (!IsBase64Url(parts[2]))
            throw TokenRefusal.Malformed("its signature is not base64url");
        if (OptionalTime(payload, "exp") is null)
            throw TokenRefusal.Malformed("it has no exp");
        OptionalTime(payload, "nbf");
        return new CompactToken(keyId, OptionalTime(payload, "iat"));
    }

    private static string ReadHeader(JsonElement header)
    {
        if (header.TryGetProperty("crit", out _))
            throw TokenRefusal.CriticalExtension();
        var algorithm = OptionalText(header, "alg");
        if (algorithm is null || !Algorithms.Contains(algorithm, StringComparer.Ordinal))
            throw TokenRefusal.AlgorithmRefused(algorithm);
        if (OptionalText(header, "typ") is { } type && !Types.Contains(type, StringComparer.OrdinalIgnoreCase))
            throw TokenRefusal.TypeRefused(type);
        return OptionalText(header, "kid") is { Length: > 0 } keyId ? keyId : throw TokenRefusal.Malformed("its header has no kid");
    }

    private static string? OptionalText(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw TokenRefusal.Malformed($"its {name} is not text");
    }

    /// <summary>RFC 7519 §2 NumericDate; whole seconds, as every issuer sends it. The library would take text for a number.</summary>
    private static long? OptionalTime(JsonElement payload, string name)
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
        return StrictJson.TryParseObject(Base64Url.DecodeFromChars(part), out var element) switch
        {
            StrictJsonResult.Object => element,
            StrictJsonResult.MembersDoubled => throw TokenRefusal.MembersDoubled(name),
            _ => throw TokenRefusal.Malformed($"its {name} is not one JSON object"),
        };
    }

    /// <summary>Returns whether a part is base64url in its canonical form: without padding and white space (RFC 7515 §2), and with zeros
    /// for the bits of the last character that encode nothing (RFC 4648 §3.5).</summary>
    private static bool IsBase64Url(string part) =>
        part.Length > 0 && !part.AsSpan().ContainsAnyExcept(Alphabet) && (part.Length % 4) switch
        {
            0 => true,
            2 => LastOfOneByte.Contains(part[^1]),
            3 => LastOfTwoBytes.Contains(part[^1]),
            _ => false,
        };
}
