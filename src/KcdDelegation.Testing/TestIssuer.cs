using System.Net;
using System.Security.Cryptography;
using KcdDelegation.Testing.Issuing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Testing;

/// <summary>An OpenID provider on loopback: discovery document, keys, and tokens like those of Microsoft Entra ID, version 2.0. Thread-safe.</summary>
public sealed class TestIssuer : IAsyncDisposable
{
    /// <summary>The tenant of tokens that name no other.</summary>
    public const string DefaultTenantId = "11111111-2222-3333-4444-555555555555";

    /// <summary>The audience of tokens that name no other.</summary>
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
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http1));
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
    /// <param name="timeProvider">Its clock; null: the system's.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public static async Task<TestIssuer> StartAsync(string tenantId = DefaultTenantId, TimeProvider? timeProvider = null, CancellationToken cancellationToken = default)
    {
        var issuer = new TestIssuer(tenantId, timeProvider ?? TimeProvider.System);
        await issuer._application.StartAsync(cancellationToken).ConfigureAwait(false);
        return issuer;
    }

    /// <summary>The tenant in its address and its tokens.</summary>
    public string TenantId { get; }

    /// <summary>Authority and issuer, such as <c>http://127.0.0.1:40123/1111…/v2.0</c>.</summary>
    public string Authority => $"{Root}/{TenantId}/v2.0";

    /// <summary>How often the discovery document was fetched.</summary>
    public int DocumentRequests => Volatile.Read(ref _documentRequests);

    /// <summary>How often the keys were fetched.</summary>
    public int KeyRequests => Volatile.Read(ref _keyRequests);

    /// <summary>True: every request is answered with 503.</summary>
    public bool IsDown
    {
        get => _isDown;
        set => _isDown = value;
    }

    private string Root => _application.Urls.First().TrimEnd('/');

    /// <summary>A token of a member of the tenant, valid for an hour.</summary>
    /// <param name="userPrincipalName">Claim <c>upn</c>; the object identifier follows from it.</param>
    /// <param name="claims">Further ones, such as <c>onprem_sam_account_name</c>; one with a name that the token has replaces it, a null
    /// value takes it away.</param>
    /// <param name="audience">Claim <c>aud</c>.</param>
    /// <returns>Compact serialization, signed with RS256 and the newest key.</returns>
    public string CreateToken(string userPrincipalName, IReadOnlyDictionary<string, object?>? claims = null, string audience = DefaultAudience) =>
        TokenWriter.Write(Payload(userPrincipalName, audience, claims), _keys.Newest);

    /// <summary>A token that must be refused, for one reason only.</summary>
    /// <param name="flaw">The reason.</param>
    /// <param name="userPrincipalName">Claim <c>upn</c>.</param>
    public string CreateBadToken(TokenFlaw flaw, string userPrincipalName = "ada@contoso.com") =>
        new FlawedTokenWriter(Authority, _timeProvider, _keys).Write(flaw, Payload(userPrincipalName, DefaultAudience, claims: null));

    /// <summary>Signs with a new key from now on. The old ones stay in the document until <see cref="WithdrawOldKeys"/>.</summary>
    public void Rotate() => _keys.Rotate();

    /// <summary>Publishes the newest key only: tokens of the older ones are good no longer.</summary>
    public void WithdrawOldKeys() => _keys.WithdrawOld();

    /// <summary>Stops the provider.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        _keys.Dispose();
    }

    private Dictionary<string, object?> Payload(string userPrincipalName, string audience, IReadOnlyDictionary<string, object?>? claims)
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
            ["oid"] = ObjectIdentifier(userPrincipalName),
            ["sub"] = ObjectIdentifier("sub " + userPrincipalName),
            ["upn"] = userPrincipalName,
            ["preferred_username"] = userPrincipalName,
            ["scp"] = "access_as_user",
        };
        foreach (var (name, value) in claims ?? new Dictionary<string, object?>(StringComparer.Ordinal))
            payload[name] = value;
        return payload;
    }

    /// <summary>The same for the same name in the same tenant, as in a directory.</summary>
    private string ObjectIdentifier(string name) =>
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
