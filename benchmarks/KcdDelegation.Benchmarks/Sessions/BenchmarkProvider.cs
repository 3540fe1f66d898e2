using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.Benchmarks.Report;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>An OpenID provider on loopback that signs in any user without a question. Its time is part of a sign-in, so it does little.
/// Thread-safe.</summary>
internal sealed class BenchmarkProvider : IAsyncDisposable
{
    public const string ClientId = "benchmark";

    private const int Life = 3600;

    private readonly WebApplication _app;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, Grant> _codes = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<double> _tokenTimes = new();

    private BenchmarkProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => Results.Text(CreateDocument().ToJsonString(), "application/json"));
        _app.MapGet("/keys", () => Results.Text(CreateKeys().ToJsonString(), "application/json"));
        _app.MapPost("/token", async (HttpContext context) => await (await AnswerTokenAsync(context)).ExecuteAsync(context));
    }

    public string Issuer => _app.Urls.First().TrimEnd('/');

    /// <summary>Gets the secret of the client.</summary>
    public string Secret { get; } = RandomNumberGenerator.GetHexString(32);

    /// <summary>Gets the median time of an answer of the token endpoint, in milliseconds.</summary>
    public double MedianTokenTime => Interleaved.Quantile([.. _tokenTimes], 0.5);

    /// <summary>Gets the length of the last ID token.</summary>
    public int TokenLength { get; private set; }

    public static async Task<BenchmarkProvider> StartAsync()
    {
        var provider = new BenchmarkProvider();
        await provider._app.StartAsync();
        return provider;
    }

    /// <summary>Answers an authentication request with the address of the callback, as the page of a provider does.</summary>
    /// <param name="request">The address to which the browser was sent.</param>
    /// <param name="user">The user.</param>
    public Uri Authorize(Uri request, string user)
    {
        var query = QueryHelpers.ParseQuery(request.Query);
        var code = RandomNumberGenerator.GetHexString(32);
        _codes[code] = new Grant(user, query["redirect_uri"].ToString(), query["nonce"].ToString(), query["code_challenge"].ToString());
        return new Uri(QueryHelpers.AddQueryString(query["redirect_uri"].ToString(), new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["code"] = code, ["state"] = query["state"], ["iss"] = Issuer,
        }));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    private JsonObject CreateDocument() => new()
    {
        ["issuer"] = Issuer,
        ["authorization_endpoint"] = Issuer + "/authorize",
        ["token_endpoint"] = Issuer + "/token",
        ["jwks_uri"] = Issuer + "/keys",
        ["response_types_supported"] = new JsonArray("code"),
        ["subject_types_supported"] = new JsonArray("public"),
        ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
        ["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post"),
        ["code_challenge_methods_supported"] = new JsonArray("S256"),
        ["authorization_response_iss_parameter_supported"] = true,
    };

    private JsonObject CreateKeys()
    {
        var key = _rsa.ExportParameters(includePrivateParameters: false);
        return new JsonObject
        {
            ["keys"] = new JsonArray(new JsonObject
            {
                ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = "key",
                ["n"] = Base64Url.EncodeToString(key.Modulus), ["e"] = Base64Url.EncodeToString(key.Exponent),
            }),
        };
    }

    private async Task<IResult> AnswerTokenAsync(HttpContext context)
    {
        var start = TimeProvider.System.GetTimestamp();
        var form = await context.Request.ReadFormAsync();
        if (form["client_id"] != ClientId || form["client_secret"] != Secret || !_codes.TryRemove(form["code"].ToString(), out var grant)
            || form["redirect_uri"] != grant.RedirectUri
            || Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != grant.Challenge)
            return Results.Text("""{"error":"invalid_grant"}""", "application/json", statusCode: StatusCodes.Status400BadRequest);
        var token = CreateIdToken(grant);
        TokenLength = token.Length;
        var answer = new JsonObject
        {
            ["token_type"] = "Bearer", ["access_token"] = RandomNumberGenerator.GetHexString(64), ["id_token"] = token,
            ["expires_in"] = Life,
        };
        _tokenTimes.Enqueue(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds);
        return Results.Text(answer.ToJsonString(), "application/json");
    }

    private string CreateIdToken(Grant grant)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer, ["aud"] = ClientId, ["sub"] = grant.User, ["upn"] = $"{grant.User}@bench.test", ["nonce"] = grant.Nonce,
            ["sid"] = RandomNumberGenerator.GetHexString(32), ["iat"] = now, ["exp"] = now + Life,
        };
        var text = $"{Encode("""{"alg":"RS256","typ":"JWT","kid":"key"}""")}.{Encode(claims.ToJsonString())}";
        var signature = _rsa.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private sealed record Grant(string User, string RedirectUri, string Nonce, string Challenge);
}
