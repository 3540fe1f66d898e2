using System.Net;
using System.Security.Cryptography;
using KcdDelegation.Testing.Issuing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Testing;

/// <summary>An OpenID provider on loopback with a discovery document, keys, and tokens like those of Microsoft Entra ID version 2.0.
/// Thread-safe.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    /// <summary>The default tenant.</summary>
    public const string DefaultTenantId = "11111111-2222-3333-4444-555555555555";

    /// <summary>The default audience of tokens.</summary>
    public const string DefaultAudience = "api://gateway";

    private readonly WebApplication _application;
    private readonly SigningKeys _keys = new();
    private readonly TimeProvider _timeProvider;
    private int _documentRequests;
    private int _keyRequests;
    private volatile bool _isDown;

    private TestIssuer(string tenantId, TimeProvider timeProvider)
    {
        (TenantId, _timeProvider) = (tenantId, timeProvider);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1));
        _application = builder.Build();
        _application.Use((context, next) =>
        {
            if (!_isDown)
                return next(context);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.CompletedTask;
        });
        _application.MapGet($"/{tenantId}/v2.0/.well-known/openid-configuration", AnswerDocument);
        _application.MapGet($"/{tenantId}/discovery/v2.0/keys", AnswerKeys);
    }

    /// <summary>Starts the provider on a free port of 127.0.0.1.</summary>
    /// <param name="tenantId">The tenant in its address and its tokens.</param>
    /// <param name="timeProvider">The provider's clock; null: the system's.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<TestIssuer> StartAsync(
        string tenantId = DefaultTenantId, TimeProvider? timeProvider = null, CancellationToken cancellationToken = default)
    {
        var issuer = new TestIssuer(tenantId, timeProvider ?? TimeProvider.System);
        await issuer._application.StartAsync(cancellationToken).ConfigureAwait(false);
        return issuer;
    }

    /// <summary>Gets the tenant in the address and the tokens.</summary>
    public string TenantId { get; }

    /// <summary>Gets the authority and issuer, such as <c>http://127.0.0.1:40123/1111…/v2.0</c>.</summary>
    public string Authority => $"{Root}/{TenantId}/v2.0";

    /// <summary>Gets the number of requests for the discovery document.</summary>
    public int DocumentRequests => Volatile.Read(ref _documentRequests);

    /// <summary>Gets the number of requests for the keys.</summary>
    public int KeyRequests => Volatile.Read(ref _keyRequests);

    /// <summary>Gets or sets whether every request is answered with 503.</summary>
    public bool IsDown
    {
        get => _isDown;
        set => _isDown = value;
    }

    private string Root => _application.Urls.First().TrimEnd('/');

    /// <summary>Creates a token of a member of the tenant, valid for an hour.</summary>
    /// <param name="userPrincipalName">The claim <c>upn</c>. The object identifier is derived from it.</param>
    /// <param name="claims">Further claims, such as <c>onprem_sam_account_name</c>. They replace claims of the same name; a null value
    /// removes a claim.</param>
    /// <param name="audience">The claim <c>aud</c>.</param>
    /// <returns>The compact serialization, signed with RS256 and the newest key.</returns>
    public string CreateToken(
        string userPrincipalName, IReadOnlyDictionary<string, object?>? claims = null, string audience = DefaultAudience) =>
        TokenWriter.Write(CreatePayload(userPrincipalName, audience, claims), _keys.Newest);

    /// <summary>Creates a token that must be refused for exactly one reason.</summary>
    /// <param name="flaw">The reason to refuse it.</param>
    /// <param name="userPrincipalName">The claim <c>upn</c>.</param>
    public string CreateBadToken(TokenFlaw flaw, string userPrincipalName = "ada@contoso.com") =>
        new FlawedTokenWriter(Authority, _timeProvider, _keys).Write(flaw, CreatePayload(userPrincipalName, DefaultAudience, claims: null));

    /// <summary>Signs tokens with a new key from now on. The old keys stay published until <see cref="WithdrawOldKeys"/>.</summary>
    public void Rotate() => _keys.Rotate();

    /// <summary>Publishes the newest key only. Tokens signed with older keys are no longer valid.</summary>
    public void WithdrawOldKeys() => _keys.WithdrawOld();

    /// <summary>Stops the provider.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        _keys.Dispose();
    }

    internal void Configure(TokenOptions options) =>
        (options.Authority, options.Issuer, options.Audience, options.TenantId) = (Authority, null, DefaultAudience, TenantId);

    private Dictionary<string, object?> CreatePayload(
        string userPrincipalName, string audience, IReadOnlyDictionary<string, object?>? claims)
    {
        var now = _timeProvider.GetUtcNow().ToUnixTimeSeconds();
        var payload = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["aud"] = audience,
            ["iss"] = Authority,
            ["iat"] = now,
            ["nbf"] = now,
            ["exp"] = now + 3600,
            ["ver"] = "2.0",
            ["tid"] = TenantId,
            ["oid"] = GetObjectIdentifier(userPrincipalName),
            ["sub"] = GetObjectIdentifier("sub " + userPrincipalName),
            ["upn"] = userPrincipalName,
            ["preferred_username"] = userPrincipalName,
            ["scp"] = "access_as_user",
        };
        foreach (var (name, value) in claims ?? new Dictionary<string, object?>(StringComparer.Ordinal))
            payload[name] = value;
        return payload;
    }

    /// <summary>Returns an identifier derived from tenant and name, as a directory keeps one for each user.</summary>
    private string GetObjectIdentifier(string name) =>
        new Guid(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"{TenantId} {name}")).AsSpan(0, 16)).ToString();

    private IResult AnswerDocument()
    {
        Interlocked.Increment(ref _documentRequests);
        return Results.Text(ProviderDocuments.Discovery(Authority, $"{Root}/{TenantId}/discovery/v2.0/keys"), "application/json");
    }

    private IResult AnswerKeys()
    {
        Interlocked.Increment(ref _keyRequests);
        return Results.Text(ProviderDocuments.Keys(_keys.Published), "application/json");
    }
}
