using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace KcdDelegation.Gateway.Tests.SignIn;

/// <summary>An OpenID provider on loopback that signs in the user of its settings without a question, and can answer wrongly.</summary>
internal sealed class SignInProvider : IAsyncDisposable
{
    public const string ClientId = "gateway-client";
    public const string Secret = "the client's secret";

    private readonly WebApplication _app;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, CodeGrant> _codes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _refreshTokens = new(StringComparer.Ordinal);
    private int _refreshes;

    private SignInProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            if (!IsDown)
                return next(context);
            context.Abort();
            return Task.CompletedTask;
        });
        _app.MapGet("/.well-known/openid-configuration", () => Results.Text(CreateDocument().ToJsonString(), "application/json"));
        _app.MapGet("/keys", () => Results.Text(CreateKeys().ToJsonString(), "application/json"));
        _app.MapPost("/token", async (HttpContext context) =>
        {
            if (TokenAnswer is { } other)
                await other(context);
            else
                await (await AnswerTokenAsync(context)).ExecuteAsync(context);
        });
    }

    /// <summary>Gets or sets the user that the provider signs in.</summary>
    public string User { get; set; } = "ada";

    /// <summary>Gets or sets the provider's session.</summary>
    public string? SessionId { get; set; } = "sid-1";

    public bool IsDown { get; set; }

    /// <summary>Gets or sets whether answers have <c>iss</c>, and the metadata states it.</summary>
    public bool SendsIssuer { get; set; } = true;

    /// <summary>Gets or sets changes of the metadata.</summary>
    public Action<JsonObject> ChangeDocument { get; set; } = static _ => { };

    /// <summary>Gets or sets changes of the claims of ID tokens.</summary>
    public Action<JsonObject> ChangeIdToken { get; set; } = static _ => { };

    /// <summary>Gets or sets changes of the claims of access tokens.</summary>
    public Action<JsonObject> ChangeAccessToken { get; set; } = static _ => { };

    /// <summary>Gets or sets changes of the answer of the token endpoint.</summary>
    public Action<JsonObject> ChangeAnswer { get; set; } = static _ => { };

    /// <summary>Gets or sets the error of the token endpoint to a refresh; null for none.</summary>
    public string? RefreshError { get; set; }

    /// <summary>Gets or sets the answer of the token endpoint in place of tokens; null for none.</summary>
    public RequestDelegate? TokenAnswer { get; set; }

    /// <summary>Gets or sets the life of access tokens in seconds.</summary>
    public int Life { get; set; } = 3600;

    public int Refreshes => Volatile.Read(ref _refreshes);

    /// <summary>Gets the requests to the token endpoint.</summary>
    public ConcurrentQueue<Dictionary<string, string>> TokenRequests { get; } = new();

    public string Issuer => _app.Urls.First().TrimEnd('/');

    public static async Task<SignInProvider> StartAsync()
    {
        var provider = new SignInProvider();
        await provider._app.StartAsync(TestContext.Current.CancellationToken);
        return provider;
    }

    /// <summary>Answers an authentication request as the page of the provider does: with the address of the gateway's callback.</summary>
    /// <param name="request">The address to which the gateway sent the browser.</param>
    /// <param name="change">Changes the parameters of the answer.</param>
    /// <param name="user">The user; null: the one of the settings when the code is redeemed.</param>
    public Uri Authorize(Uri request, Action<Dictionary<string, string?>>? change = null, string? user = null)
    {
        var query = QueryHelpers.ParseQuery(request.Query)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        query["client_id"].ShouldBe(ClientId);
        query["response_type"].ShouldBe("code");
        query["code_challenge_method"].ShouldBe("S256");
        query.GetValueOrDefault("response_mode", "query").ShouldBe("query");
        var code = RandomNumberGenerator.GetHexString(32);
        _codes[code] = new CodeGrant(
            query["code_challenge"], query["redirect_uri"], query["nonce"], query.GetValueOrDefault("acr_values"), user);
        var answer = new Dictionary<string, string?>(StringComparer.Ordinal) { ["code"] = code, ["state"] = query["state"] };
        if (SendsIssuer)
            answer["iss"] = Issuer;
        change?.Invoke(answer);
        return new Uri(QueryHelpers.AddQueryString(query["redirect_uri"], answer));
    }

    /// <summary>Signs a token.</summary>
    public string Sign(JsonObject claims, string type = "JWT", string algorithm = "RS256")
    {
        var header = new JsonObject { ["alg"] = algorithm, ["typ"] = type, ["kid"] = "key" };
        var text = $"{Encode(header)}.{Encode(claims)}";
        var bytes = Encoding.ASCII.GetBytes(text);
        var signature = algorithm == "RS256"
            ? Base64UrlEncoder.Encode(_rsa.SignData(bytes, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)) : "";
        return $"{text}.{signature}";
    }

    /// <summary>Creates the claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).</summary>
    public JsonObject CreateLogoutClaims(string? user = "ada", string? sessionId = "sid-1")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = ClientId,
            ["iat"] = now,
            ["exp"] = now + 120,
            ["jti"] = RandomNumberGenerator.GetHexString(32),
            ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
        };
        if (user is not null)
            claims["sub"] = user;
        if (sessionId is not null)
            claims["sid"] = sessionId;
        return claims;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    private static string Encode(JsonObject json) => Base64UrlEncoder.Encode(json.ToJsonString());

    private JsonObject CreateDocument()
    {
        var document = new JsonObject
        {
            ["issuer"] = Issuer,
            ["authorization_endpoint"] = Issuer + "/authorize",
            ["token_endpoint"] = Issuer + "/token",
            ["end_session_endpoint"] = Issuer + "/end-session",
            ["jwks_uri"] = Issuer + "/keys",
            ["authorization_response_iss_parameter_supported"] = SendsIssuer,
        };
        ChangeDocument(document);
        return document;
    }

    private JsonObject CreateKeys()
    {
        var key = _rsa.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["alg"] = "RS256",
                ["kid"] = "key",
                ["n"] = Base64UrlEncoder.Encode(key.Modulus),
                ["e"] = Base64UrlEncoder.Encode(key.Exponent),
            }),
        };
    }

    private async Task<IResult> AnswerTokenAsync(HttpContext context)
    {
        var form = (await context.Request.ReadFormAsync())
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.Ordinal);
        TokenRequests.Enqueue(form);
        if (form.GetValueOrDefault("client_id") != ClientId || form.GetValueOrDefault("client_secret") != Secret)
            return Refuse("invalid_client");
        return form["grant_type"] == "refresh_token" ? await RefreshAsync(form) : Redeem(form);
    }

    private IResult Redeem(Dictionary<string, string> form)
    {
        if (!_codes.TryRemove(form["code"], out var grant) || form["redirect_uri"] != grant.RedirectUri
            || Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"]))) != grant.Challenge)
            return Refuse("invalid_grant");
        return Answer(grant.User ?? User, grant.Nonce, grant.Acr);
    }

    private async Task<IResult> RefreshAsync(Dictionary<string, string> form)
    {
        Interlocked.Increment(ref _refreshes);
        await Task.Delay(50);
        if (RefreshError is { } error)
            return Refuse(error);
        return _refreshTokens.TryRemove(form["refresh_token"], out var user)
            ? Answer(user, nonce: null, acr: null) : Refuse("invalid_grant");
    }

    private IResult Answer(string user, string? nonce, string? acr)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var identity = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = ClientId,
            ["sub"] = user,
            ["upn"] = $"{user}@contoso.test",
            ["iat"] = now,
            ["exp"] = now + Life,
        };
        if (nonce is not null)
            identity["nonce"] = nonce;
        if (SessionId is not null)
            identity["sid"] = SessionId;
        if (acr is not null)
            identity["acr"] = acr;
        var access = (JsonObject)identity.DeepClone();
        (access["aud"], access["scp"]) = ("api://gateway", "access");
        access.Remove("nonce");
        ChangeIdToken(identity);
        ChangeAccessToken(access);
        var refreshToken = RandomNumberGenerator.GetHexString(32);
        _refreshTokens[refreshToken] = user;
        var answer = new JsonObject
        {
            ["token_type"] = "Bearer",
            ["access_token"] = Sign(access, "at+jwt"),
            ["id_token"] = Sign(identity),
            ["refresh_token"] = refreshToken,
            ["expires_in"] = Life,
        };
        ChangeAnswer(answer);
        return Results.Text(answer.ToJsonString(), "application/json");
    }

    private static IResult Refuse(string error) =>
        Results.Text(new JsonObject { ["error"] = error }.ToJsonString(), "application/json", statusCode: 400);

    private sealed record CodeGrant(string Challenge, string RedirectUri, string Nonce, string? Acr, string? User);
}
