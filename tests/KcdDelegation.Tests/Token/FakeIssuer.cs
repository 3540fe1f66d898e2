using System.Buffers.Text;
using System.IdentityModel.Tokens.Jwt;
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using KcdDelegation.Settings;
using KcdDelegation.Token;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Tests.Token;

/// <summary>An issuer whose documents and tokens can have any error. Its valid tokens are created by
/// System.IdentityModel.Tokens.Jwt,
/// its invalid ones directly.</summary>
public sealed class FakeIssuer : HttpMessageHandler
{
    public const string Authority = "https://login.example/tenant/v2.0";
    public const string Audience = "api://gateway";
    public const string ClientId = "99990000-2222-3333-4444-555555555555";
    public const string Tenant = "11111111-2222-3333-4444-555555555555";
    public const string OtherTenant = "99999999-2222-3333-4444-555555555555";

    /// <summary>The keys are created once, because that is slow.</summary>
    public static readonly RSA FirstKey = RSA.Create(2048);
    public static readonly RSA SecondKey = RSA.Create(2048);

    public FakeIssuer()
    {
        Publish("key-1", FirstKey);
        Discovery = new JsonObject { ["issuer"] = Authority, ["jwks_uri"] = "https://keys.example/jwks" };
    }

    public ManualTime Time { get; } = new();
    public JsonObject Discovery { get; }
    public Dictionary<string, AsymmetricAlgorithm> Keys { get; } = [];
    public List<JsonObject> PublishedKeys { get; } = [];
    public List<string> Requests { get; } = [];

    internal LogRecorder Log { get; } = new();

    /// <summary>Gets the keys of the last validator.</summary>
    internal SigningKeys? SigningKeys { get; private set; }

    /// <summary>Returns the response to send instead of a document, or null.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage?> Instead { get; set; } = _ => null;

    public void Publish(string kid, AsymmetricAlgorithm key)
    {
        Keys[kid] = key;
        var jwk = JsonWebKeyConverter.ConvertFromSecurityKey(
            key is RSA rsa ? new RsaSecurityKey(rsa.ExportParameters(false)) : new ECDsaSecurityKey((ECDsa)key));
        var published = new JsonObject { ["kty"] = jwk.Kty, ["use"] = "sig", ["kid"] = kid };
        foreach (var (name, value) in new[] { ("n", jwk.N), ("e", jwk.E), ("crv", jwk.Crv), ("x", jwk.X), ("y", jwk.Y) })
        {
            if (value is not null)
                published[name] = value;
        }
        PublishedKeys.Add(published);
    }

    internal TokenValidator Validator(Action<TokenOptions>? configure = null)
    {
        var token = Settings(configure);
        SigningKeys = new SigningKeys(new IssuerDocuments(token, Time, this), Time, Log.CreateLogger("KcdDelegation"));
        return new TokenValidator(token, SigningKeys, Time);
    }

    internal static TokenSettings Settings(Action<TokenOptions>? configure = null)
    {
        var options = Samples.Options();
        options.Token = new TokenOptions { Authority = Authority, Audience = Audience, ClientId = ClientId, TenantId = Tenant };
        configure?.Invoke(options.Token);
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return settings.ShouldNotBeNull().Token.ShouldNotBeNull();
    }

    /// <summary>Creates a valid token.</summary>
    public string Token(
        string kid = "key-1", string issuer = Authority, string audience = Audience, string algorithm = SecurityAlgorithms.RsaSha256)
    {
        var now = Time.GetUtcNow().UtcDateTime;
        SecurityKey key = Keys[kid] is RSA rsa ? new RsaSecurityKey(rsa) { KeyId = kid }
            : new ECDsaSecurityKey((ECDsa)Keys[kid]) { KeyId = kid };
        var handler = new JwtSecurityTokenHandler { OutboundClaimTypeMap = new Dictionary<string, string>(StringComparer.Ordinal) };
        return handler.CreateEncodedJwt(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = now,
            NotBefore = now,
            Expires = now.AddHours(1),
            Claims = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["tid"] = Tenant,
                ["upn"] = "ada@contoso.com",
                ["oid"] = "ada-1",
                ["scp"] = "access_as_user",
            },
            SigningCredentials = new SigningCredentials(key, algorithm),
        });
    }

    public JsonObject Payload() => new()
    {
        ["iss"] = Authority,
        ["aud"] = Audience,
        ["tid"] = Tenant,
        ["upn"] = "ada@contoso.com",
        ["oid"] = "ada-1",
        ["sub"] = "ada-at-gateway",
        ["scp"] = "access_as_user",
        ["iat"] = Time.GetUtcNow().ToUnixTimeSeconds(),
        ["nbf"] = Time.GetUtcNow().ToUnixTimeSeconds(),
        ["exp"] = Time.GetUtcNow().AddHours(1).ToUnixTimeSeconds(),
    };

    /// <summary>Creates the payload of an ID token for the client.</summary>
    public JsonObject IdPayload(string? nonce = "n-1")
    {
        var payload = Payload();
        payload.Remove("scp");
        (payload["aud"], payload["nonce"]) = (ClientId, nonce);
        return payload;
    }

    public static JsonObject Header(string kid = "key-1") => new() { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = kid };

    /// <summary>Creates a token with any header and payload, correctly signed by key-1.</summary>
    public string Sign(JsonObject header, JsonObject payload) => Sign(header.ToJsonString(), payload.ToJsonString());

    public string Sign(string header, string payload) => Sign(Encoding.UTF8.GetBytes(header), Encoding.UTF8.GetBytes(payload));

    public string Sign(byte[] header, byte[] payload)
    {
        var head = $"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(payload)}";
        return $"{head}.{Base64Url.EncodeToString(
            ((RSA)Keys["key-1"]).SignData(Encoding.ASCII.GetBytes(head), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
    }

    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static HttpResponseMessage Answer(string text, HttpStatusCode status = HttpStatusCode.OK) =>
        new(status) { Content = new StringContent(text) };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var address = request.RequestUri!.AbsoluteUri;
        lock (Requests)
            Requests.Add(address);
        if (Instead(request) is { } answer)
            return answer;
        return address switch
        {
            Authority + "/.well-known/openid-configuration" => Answer(Discovery.ToJsonString()),
            "https://keys.example/jwks" =>
                Answer(new JsonObject { ["keys"] = new JsonArray([.. PublishedKeys.Select(key => key.DeepClone())]) }.ToJsonString()),
            _ => Answer("", HttpStatusCode.NotFound),
        };
    }
}

internal static class TokenValidatorExtensions
{
    /// <summary>Validates an access token.</summary>
    public static ValueTask<ClaimsPrincipal> ValidateAsync(
        this TokenValidator validator, string token, CancellationToken cancellationToken) =>
        validator.ValidateAsync(token, TokenKind.AccessToken, nonce: null, cancellationToken);

    public static ValueTask<ClaimsPrincipal> ValidateAsync(
        this TokenValidator validator, string token, TokenKind kind, string? nonce, CancellationToken cancellationToken) =>
        validator.ValidateAsync(token.AsMemory(), kind, nonce, cancellationToken);
}

/// <summary>A time source whose clock can be corrected without any time passing.</summary>
public sealed class ManualTime : TimeProvider
{
    private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private TimeSpan _elapsed = TimeSpan.FromDays(1);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _elapsed.Ticks;

    public void Advance(TimeSpan by) => (_now, _elapsed) = (_now + by, _elapsed + by);

    public void CorrectClock(TimeSpan by) => _now += by;
}
