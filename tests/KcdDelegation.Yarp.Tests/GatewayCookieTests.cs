using System.Net;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Tests;

/// <summary>Tests that the gateway's credentials do not reach backends, and that backends cannot set them.</summary>
public sealed class GatewayCookieTests
{
    [Theory]
    [InlineData(".AspNetCore.Cookies")]
    [InlineData(".AspNetCore.CookiesC1")]
    [InlineData(".AspNetCore.CookiesC12")]
    [InlineData(".aspnetcore.cookies")]
    [InlineData("portal-session")]
    [InlineData("portal-sessionC2")]
    [InlineData(".AspNetCore.Correlation.Xy_1")]
    [InlineData(".AspNetCore.OpenIdConnect.Nonce.Xy_1")]
    [InlineData(".AspNetCore.Session")]
    [InlineData("antiforgery")]
    [InlineData("affinity")]
    [InlineData("listed")]
    [InlineData("my-gateway-two")]
    [InlineData("=listed")]
    [InlineData("= listed")]
    public async Task A_cookie_of_the_gateway_stays_in_the_gateway(string name)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await StartAsync(realm, backend);
        var cookies = await ExchangeAsync(gateway, backend, $"first=1; {name}=secret; {name}=again; last=2", $"{name}=evil; Path=/");
        cookies.Sent.ShouldBe("first=1; last=2");
        cookies.Set.ShouldBe(["kept=1; path=/"]);
    }

    [Theory]
    [InlineData(".AspNetCore.CookiesX")]
    [InlineData(".AspNetCore.CookiesC")]
    [InlineData(".AspNetCore.CookiesC1x")]
    [InlineData("x.AspNetCore.Cookies")]
    [InlineData("listed2")]
    [InlineData("my-gateway")]
    public async Task A_cookie_of_the_backend_passes(string name)
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await StartAsync(realm, backend);
        var cookies = await ExchangeAsync(gateway, backend, $"b=\"x y\";{name}=1; a=.AspNetCore.Cookies=2", $"{name}=1; Path=/");
        cookies.Sent.ShouldBe($"b=\"x y\";{name}=1; a=.AspNetCore.Cookies=2", "the text is not changed");
        cookies.Set.ShouldBe([$"{name}=1; Path=/", "kept=1; path=/"]);
    }

    [Fact]
    public async Task The_field_is_removed_with_the_last_cookie()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await StartAsync(realm, backend);
        (await ExchangeAsync(gateway, backend, "listed=1", "other=1")).Sent.ShouldBeNull();
    }

    [Fact]
    public async Task The_Authorization_of_the_request_is_replaced()
    {
        await using var realm = DelegatedGateway.StartRealm();
        await using var backend = await KerberosBackend.StartAsync(realm, DelegatedGateway.Erp);
        await using var gateway = await DelegatedGateway.StartAsync(realm, backend);
        (await gateway.GetAsync("ada", change: request => request.Headers.Authorization = new("Bearer", "token-of-the-gateway")))
            .ShouldBe((HttpStatusCode.OK, "ada"));
        backend.Received.Single().Headers.Values.ShouldAllBe(value => !value.Contains("token-of-the-gateway", StringComparison.Ordinal));
    }

    private static Task<DelegatedGateway> StartAsync(TestRealm realm, KerberosBackend backend) =>
        DelegatedGateway.StartAsync(new GatewaySetup
        {
            Realm = realm,
            Cluster = DelegatedGateway.CreateCluster("erp", backend.Url) with
            {
                SessionAffinity = new SessionAffinityConfig { Enabled = true, AffinityKeyName = "affinity" },
            },
            Services = services =>
            {
                services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
                    .AddCookie()
                    .AddCookie("portal", options => options.Cookie.Name = "portal-session")
                    .AddOAuth("provider", options =>
                    {
                        (options.ClientId, options.ClientSecret, options.CallbackPath) = ("gateway", "secret", "/signed-in");
                        options.AuthorizationEndpoint = options.TokenEndpoint = "https://provider.contoso.test/";
                    });
                services.AddDistributedMemoryCache().AddSession();
                services.AddAntiforgery(options => options.Cookie.Name = "antiforgery");
            },
            Proxy = options =>
            {
                options.GatewayCookies.Add("listed");
                options.GatewayCookies.Add("my-gateway-*");
            },
        });

    private static async Task<(string? Sent, IEnumerable<string> Set)> ExchangeAsync(
        DelegatedGateway gateway, KerberosBackend backend, string cookies, string set)
    {
        using var response = await gateway.SendAsync("ada", "/", request =>
        {
            request.Headers.Add("Cookie", cookies);
            request.Headers.Add("X-Set-Cookie", set);
        });
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        // YARP adds the cookie of its affinity.
        return (backend.Received.Last().Headers.GetValueOrDefault("Cookie"),
            response.Headers.GetValues("Set-Cookie").Where(value => !value.StartsWith("affinity=", StringComparison.Ordinal)
                || value.StartsWith("affinity=evil", StringComparison.Ordinal)));
    }
}
