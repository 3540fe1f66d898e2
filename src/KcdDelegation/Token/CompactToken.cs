using System.Text;
using System.Text.Json;

namespace KcdDelegation.Token;

/// <summary>A JWS in compact form (RFC 7515 §7.1), parsed strictly before any of its content is used. Nothing in it is authenticated
/// yet.</summary>
/// <param name="Algorithm">The <c>alg</c> of the header, one of <see cref="Algorithms"/>.</param>
/// <param name="KeyId">The <c>kid</c> of the key that the header names.</param>
/// <param name="SignedText">The bytes that the signature covers (RFC 7515 §5.2).</param>
/// <param name="Signature">The signature.</param>
/// <param name="Claims">The claims.</param>
internal sealed record CompactToken(string Algorithm, string KeyId, byte[] SignedText, byte[] Signature, TokenClaims Claims)
{
    /// <summary>The limit in characters. Servers limit the header fields of a request to about half of it.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>The accepted algorithms, all asymmetric. With HMAC, anyone who can verify a token can create one.</summary>
    public static readonly IReadOnlyList<string> Algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>The type of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4), which are accepted as nothing else.</summary>
    public const string LogoutTokenType = "logout+jwt";

    // RFC 9068 §2.1, with and without the prefix.
    private static readonly string[] AccessTokenTypes = ["at+jwt", "application/at+jwt"];

    /// <summary>Parses and validates the form of a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="ownType">A value of <c>typ</c> that is accepted in addition to those of access tokens and of any JWT; null for
    /// none.</param>
    /// <exception cref="KcdException">The token is malformed or has properties that are never accepted.</exception>
    public static CompactToken Parse(string token, string? ownType = null)
    {
        if (token.Length > MaxLength)
            throw TokenRefusal.TooLarge(token.Length, MaxLength);
        var parts = token.Split('.');
        if (parts.Length == 5)
            throw TokenRefusal.Encrypted();
        if (parts.Length != 3)
            throw TokenRefusal.Malformed("it does not have three parts separated by dots");
        var (algorithm, keyId, isAccessToken) = ReadHeader(Decode(parts[0], "header"), ownType);
        var payload = Decode(parts[1], "payload");
        var signature = Base64UrlText.Decode(parts[2]) ?? throw TokenRefusal.Malformed("its signature is not base64url");
        var signedText = Encoding.ASCII.GetBytes(token, 0, parts[0].Length + 1 + parts[1].Length);
        return new CompactToken(algorithm, keyId, signedText, signature, TokenClaims.Read(payload, isAccessToken));
    }

    private static (string Algorithm, string KeyId, bool IsAccessToken) ReadHeader(JsonElement header, string? ownType)
    {
        if (header.TryGetProperty("crit", out _))
            throw TokenRefusal.CriticalExtension();
        var algorithm = ReadOptionalText(header, "alg");
        if (algorithm is null || !Algorithms.Contains(algorithm, StringComparer.Ordinal))
            throw TokenRefusal.AlgorithmRefused(algorithm);
        // RFC 7519 §5.1. The type may be absent; a token of another type is meant for another use (RFC 8725 §3.11).
        var type = ReadOptionalText(header, "typ");
        var isAccessToken = type is not null && AccessTokenTypes.Contains(type, StringComparer.OrdinalIgnoreCase);
        if (type is not null && !isAccessToken && !string.Equals(type, "JWT", StringComparison.OrdinalIgnoreCase)
            && !string.Equals(type, ownType, StringComparison.OrdinalIgnoreCase))
            throw TokenRefusal.TypeRefused(type);
        return ReadOptionalText(header, "kid") is { Length: > 0 } keyId
            ? (algorithm, keyId, isAccessToken)
            : throw TokenRefusal.Malformed("its header has no kid");
    }

    private static string? ReadOptionalText(JsonElement element, string name)
    {
        if (!element.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw TokenRefusal.Malformed($"its {name} is not text");
    }

    private static JsonElement Decode(string part, string name)
    {
        var json = Base64UrlText.Decode(part) ?? throw TokenRefusal.Malformed($"its {name} is not base64url");
        return StrictJson.ParseObject(json, out var element) switch
        {
            StrictJsonResult.Object => element,
            StrictJsonResult.DuplicateMembers => throw TokenRefusal.DuplicateMembers(name),
            _ => throw TokenRefusal.Malformed($"its {name} is not one JSON object"),
        };
    }
}
