using System.Collections.Immutable;
using System.Security.Claims;
using System.Text.Json;

namespace KcdDelegation.Token;

/// <summary>The claims of a token, read once from its payload. Immutable; each principal gets copies.</summary>
internal sealed class TokenClaims
{
    /// <summary>The latest time that a NumericDate can express here, the end of the year 9999.</summary>
    private const double MaxSeconds = 253_402_300_799;

    // The types that .NET's token handlers give to values that are not text.
    private const string JsonType = "JSON";
    private const string JsonArrayType = "JSON_ARRAY";
    private const string JsonNullType = "JSON_NULL";

    private readonly ImmutableArray<Claim> _all;

    private TokenClaims(JsonElement payload, bool isAccessTokenType)
    {
        Expires = ReadTime(payload, "exp") ?? throw TokenRefusal.Malformed("it has no exp");
        NotBefore = ReadTime(payload, "nbf");
        IssuedAt = ReadTime(payload, "iat");
        (Issuer, Tenant) = (ReadText(payload, "iss"), ReadText(payload, "tid"));
        HasTenant = payload.TryGetProperty("tid", out _);
        Audiences = ReadAudiences(payload);
        (AuthorizedParty, HasAuthorizedParty) = (ReadText(payload, "azp"), payload.TryGetProperty("azp", out _));
        Nonce = ReadText(payload, "nonce");
        // OpenID Connect Core 1.0 §3.1.3.6 and §3.3.2.11: hashes that tie an ID token to what was issued with it. The last two are
        // the statements of issuers that do not use the header's typ.
        IsIdToken = payload.TryGetProperty("at_hash", out _) || payload.TryGetProperty("c_hash", out _)
            || ReadText(payload, "token_use") == "id" || ReadText(payload, "typ") == "ID";
        IsAccessToken = isAccessTokenType || payload.TryGetProperty("scp", out _);
        _all = CreateClaims(payload, Issuer);
    }

    /// <summary>Gets the value of <c>exp</c>.</summary>
    public DateTimeOffset Expires { get; }

    /// <summary>Gets the value of <c>nbf</c>; null if it is absent.</summary>
    public DateTimeOffset? NotBefore { get; }

    /// <summary>Gets the value of <c>iat</c>; null if it is absent.</summary>
    public DateTimeOffset? IssuedAt { get; }

    /// <summary>Gets the value of <c>iss</c>; null unless it is text.</summary>
    public string? Issuer { get; }

    /// <summary>Gets the value of <c>tid</c>; null unless it is text.</summary>
    public string? Tenant { get; }

    /// <summary>Gets whether the token has <c>tid</c>, of any type.</summary>
    public bool HasTenant { get; }

    /// <summary>Gets the values of <c>aud</c>; empty unless it is text or an array of texts (RFC 7519 §4.1.3).</summary>
    public ImmutableArray<string> Audiences { get; }

    /// <summary>Gets the value of <c>azp</c>; null unless it is text.</summary>
    public string? AuthorizedParty { get; }

    /// <summary>Gets whether the token has <c>azp</c>, of any type.</summary>
    public bool HasAuthorizedParty { get; }

    /// <summary>Gets the value of <c>nonce</c>; null unless it is text.</summary>
    public string? Nonce { get; }

    /// <summary>Gets whether the issuer marked the token as an ID token. A token without a mark may be one as well.</summary>
    public bool IsIdToken { get; }

    /// <summary>Gets whether the issuer marked the token as an access token, by its type or by <c>scp</c>.</summary>
    public bool IsAccessToken { get; }

    /// <summary>Gets the approximate memory of the claims in bytes.</summary>
    public int Size => 200 + _all.Sum(static claim => 150 + (2 * (claim.Type.Length + claim.Value.Length)));

    /// <summary>Reads the claims of a payload.</summary>
    /// <exception cref="KcdException">A time is missing or malformed.</exception>
    public static TokenClaims Read(JsonElement payload, bool isAccessTokenType) => new(payload, isAccessTokenType);

    /// <summary>Creates a principal with copies of the claims, under their names in the token.</summary>
    public ClaimsPrincipal CreatePrincipal(string authenticationType) =>
        new(new ClaimsIdentity(_all, authenticationType, nameType: "sub", roleType: "roles"));

    /// <summary>Reads a NumericDate (RFC 7519 §2): seconds since 1970 in UTC, which may have a fraction. A later time than
    /// <see cref="DateTimeOffset"/> can express becomes the latest one.</summary>
    private static DateTimeOffset? ReadTime(JsonElement payload, string name)
    {
        if (!payload.TryGetProperty(name, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || double.IsNaN(seconds)
            || double.IsNegative(seconds))
            throw TokenRefusal.Malformed($"its {name} is not a time in seconds");
        return seconds >= MaxSeconds ? DateTimeOffset.MaxValue : DateTimeOffset.UnixEpoch.AddSeconds(seconds);
    }

    private static ImmutableArray<string> ReadAudiences(JsonElement payload)
    {
        if (!payload.TryGetProperty("aud", out var value))
            return [];
        if (value.ValueKind == JsonValueKind.String)
            return [value.GetString()!];
        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(static item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(static item => item.GetString()!)]
            : [];
    }

    private static string? ReadText(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Creates one claim for each value, and one for each element of an array. Only text has the type of text, so that a reader
    /// can distinguish <c>true</c> from <c>"true"</c>.</summary>
    private static ImmutableArray<Claim> CreateClaims(JsonElement payload, string? issuer)
    {
        var claims = ImmutableArray.CreateBuilder<Claim>();
        foreach (var member in payload.EnumerateObject())
        {
            // Each read of the name creates a string: a long name of a long array would take the product of both, before the signature
            // is checked.
            var (name, value) = (member.Name, member.Value);
            if (value.ValueKind != JsonValueKind.Array)
                claims.Add(CreateClaim(name, value, issuer));
            else
            {
                foreach (var item in value.EnumerateArray())
                    claims.Add(CreateClaim(name, item, issuer));
            }
        }
        return claims.ToImmutable();
    }

    private static Claim CreateClaim(string name, JsonElement value, string? issuer) => value.ValueKind switch
    {
        JsonValueKind.String => new Claim(name, value.GetString()!, ClaimValueTypes.String, issuer),
        JsonValueKind.True => new Claim(name, "true", ClaimValueTypes.Boolean, issuer),
        JsonValueKind.False => new Claim(name, "false", ClaimValueTypes.Boolean, issuer),
        JsonValueKind.Number => new Claim(name, value.GetRawText(), FindNumberType(value), issuer),
        JsonValueKind.Null => new Claim(name, "", JsonNullType, issuer),
        JsonValueKind.Array => new Claim(name, value.GetRawText(), JsonArrayType, issuer),
        _ => new Claim(name, value.GetRawText(), JsonType, issuer),
    };

    private static string FindNumberType(JsonElement value)
    {
        if (value.TryGetInt32(out _))
            return ClaimValueTypes.Integer32;
        return value.TryGetInt64(out _) ? ClaimValueTypes.Integer64 : ClaimValueTypes.Double;
    }
}
