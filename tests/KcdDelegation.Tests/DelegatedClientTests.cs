using System.Net;
using System.Security.Claims;
using KcdDelegation.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests;

/// <summary>Tests the complete path: token, identity, ticket, header, request.</summary>
public sealed class DelegatedClientTests : IAsyncLifetime
{
    private readonly TestRealm _realm = TestRealm.Start()
        .User("ada").User("bob").Account("gw$", mayDelegateTo: ["HTTP/app"], password: "Passw0rd!").Service("HTTP/app");

    private readonly string _passwordFile = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}");
    private TestIssuer _issuer = null!;
    private TestBackend _backend = null!;

    public async ValueTask InitializeAsync()
    {
        await File.WriteAllTextAsync(_passwordFile, "Passw0rd!", Cancel);
        _issuer = await TestIssuer.StartAsync(cancellationToken: Cancel);
        _backend = await TestBackend.StartAsync(_realm, "HTTP/app", cancellationToken: Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _backend.DisposeAsync();
        await _issuer.DisposeAsync();
        await _realm.DisposeAsync();
        File.Delete(_passwordFile);
    }

    [Fact]
    public async Task A_client_calls_the_backend_as_the_user_of_the_token()
    {
        await using var services = Services();
        var delegation = services.GetRequiredService<DelegationClient>();
        using var client = new HttpClient(new KcdHandler(delegation, "app"));

        foreach (var name in new[] { "ada", "bob", "ada" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, _backend.Url);
            request.SetCaller(await delegation.ValidateTokenAsync(_issuer.CreateToken($"{name}@contoso.test"), Cancel));
            using var response = await client.SendAsync(request, Cancel);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        _backend.Requests.Select(request => request.User).ShouldBe(["ada@CONTOSO.TEST", "bob@CONTOSO.TEST", "ada@CONTOSO.TEST"]);
    }

    [Theory]
    [InlineData(TokenFlaw.Expired, 1020)]
    [InlineData(TokenFlaw.NotYetValid, 1021)]
    [InlineData(TokenFlaw.NoExpiry, 1002)]
    [InlineData(TokenFlaw.WrongAudience, 1024)]
    [InlineData(TokenFlaw.WrongIssuer, 1022)]
    [InlineData(TokenFlaw.WrongTenant, 1023)]
    [InlineData(TokenFlaw.AlgorithmNone, 1007)]
    [InlineData(TokenFlaw.HmacWithPublicKey, 1007)]
    [InlineData(TokenFlaw.OtherKey, 1012)]
    [InlineData(TokenFlaw.UnknownKey, 1010)]
    [InlineData(TokenFlaw.Tampered, 1012)]
    [InlineData(TokenFlaw.Guest, 1025)]
    [InlineData(TokenFlaw.ApplicationOnly, 1026)]
    public async Task An_invalid_token_of_a_real_issuer_is_refused_for_its_error(TokenFlaw flaw, int eventId)
    {
        await using var services = Services();

        var error = await Should.ThrowAsync<KcdException>(async () =>
            await services.GetRequiredService<DelegationClient>()
                .ValidateTokenAsync(_issuer.CreateBadToken(flaw, "ada@contoso.test"), Cancel));

        error.EventId.ShouldBe(eventId);
    }

    [Fact]
    public async Task Keys_that_the_issuer_rotates_are_followed()
    {
        await using var services = Services();
        var delegation = services.GetRequiredService<DelegationClient>();
        await delegation.ValidateTokenAsync(_issuer.CreateToken("ada@contoso.test"), Cancel);

        _issuer.Rotate();

        (await delegation.ValidateTokenAsync(_issuer.CreateToken("ada@contoso.test"), Cancel)).FindFirstValue("upn")
            .ShouldBe("ada@contoso.test");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ServiceProvider Services()
    {
        var services = new ServiceCollection();
        services.AddKcdDelegation(o =>
        {
            o.Realm = _realm.Name;
            o.ServiceAccount.Name = "gw$";
            o.ServiceAccount.PasswordFile = _passwordFile;
            o.Kdcs.Add(_realm.Endpoint.ToString());
            o.Token = new TokenOptions { Authority = _issuer.Authority, Audience = TestIssuer.DefaultAudience,
                TenantId = _issuer.TenantId };
            o.Applications["app"] = new DelegatedApplication
            {
                InternalUrl = _backend.Url,
                AllowPlainHttp = true,
                ServicePrincipalName = "HTTP/app",
                LoginIdentity = LoginIdentity.UserPrincipalUsername,
            };
        });
        return services.BuildServiceProvider();
    }
}
