using System.Net;
using System.Security.Claims;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>Hosts that keep their own authentication, with the claim names that it uses by default.</summary>
public sealed class HostAuthenticationTests
{
    [Fact]
    public async Task A_host_with_JwtBearer_and_its_default_claim_names_delegates_its_users()
    {
        await using var site = await Site.StartAsync(
            app => app.MapGet("/claims", (HttpContext context) => context.User.FindFirst(ClaimTypes.Upn)?.Value).RequireAuthorization(),
            bearer: false,
            configure: builder =>
            {
                builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer();
                builder.Services.AddOptions<JwtBearerOptions>(JwtBearerDefaults.AuthenticationScheme)
                    .Configure<Microsoft.Extensions.Options.IOptions<KcdOptions>>((options, kcd) =>
                    {
                        options.Authority = kcd.Value.Token.Authority;
                        options.Audience = kcd.Value.Token.Audience;
                        options.RequireHttpsMetadata = false;
                    });
            });

        // The claim has the name that JwtBearer gives it, so the test would notice if the renaming were off.
        (await site.GetTextAsync("ada", "/claims")).ShouldBe("ada@contoso.test");
        (await site.GetTextAsync("ada", "/orders")).ShouldBe("ada@CONTOSO.TEST");
        (await site.GetTextAsync("bob", "/orders")).ShouldBe("bob@CONTOSO.TEST");
        using var refused = await site.SendAsync(null, "/orders");
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_guest_is_refused_whichever_scheme_authenticated_them()
    {
        await using var site = await Site.StartAsync(bearer: false, configure: AddCookies, routes: MapSignIn);
        var cookie = await SignInAsync(site, "ada", "guest=1");

        using var response = await GetAsync(site, cookie);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_with_cookies_delegates_its_users()
    {
        await using var site = await Site.StartAsync(bearer: false, configure: AddCookies, routes: MapSignIn);
        var (ada, bob) = (await SignInAsync(site, "ada"), await SignInAsync(site, "bob"));

        foreach (var (cookie, user) in ((string, string)[])[(ada, "ada"), (bob, "bob"), (ada, "ada")])
        {
            using var response = await GetAsync(site, cookie);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe($"{user}@CONTOSO.TEST");
        }
    }

    [Fact]
    public async Task A_browser_without_a_cookie_is_sent_to_the_sign_in_by_the_hosts_own_scheme()
    {
        await using var site = await Site.StartAsync(bearer: false, configure: AddCookies, routes: app =>
        {
            MapSignIn(app);
            app.MapGet("/open", (IHttpClientFactory clients) =>
                clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative)));
        });

        // The second has no policy: the request fails for want of a caller.
        foreach (var path in (string[])["/orders", "/open"])
        {
            using var response = await site.SendAsync(null, path, request => request.Headers.Accept.ParseAdd("text/html"));
            response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
            response.Headers.Location.ShouldNotBeNull().AbsolutePath.ShouldBe("/sign-in");
        }
    }

    [Fact]
    public async Task Two_schemes_work_side_by_side()
    {
        await using var site = await Site.StartAsync(
            configure: builder => builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(),
            routes: app =>
            {
                MapSignIn(app);
                app.MapGet("/api", (IHttpClientFactory clients) =>
                    clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative)))
                    .RequireAuthorization(policy => policy.AddAuthenticationSchemes(KcdBearerDefaults.AuthenticationScheme)
                        .RequireAuthenticatedUser());
            });
        var cookie = await SignInAsync(site, "bob");

        (await site.GetTextAsync("ada", "/api")).ShouldBe("ada@CONTOSO.TEST");
        using var response = await GetAsync(site, cookie);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("bob@CONTOSO.TEST");
    }

    internal static void AddCookies(WebApplicationBuilder builder) =>
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(options => options.LoginPath = "/sign-in");

    /// <summary>Signs in with the claims that OpenIdConnect gives a cookie by default.</summary>
    internal static void MapSignIn(WebApplication app) => app.MapGet("/sign-in/{user}", async (HttpContext context, string user) =>
    {
        var identity = new ClaimsIdentity(
            [
                new Claim(ClaimTypes.Upn, $"{user}@contoso.test"),
                new Claim(ClaimTypes.NameIdentifier, $"subject of {user}"),
                new Claim("http://schemas.microsoft.com/identity/claims/objectidentifier", $"object of {user}"),
                new Claim("http://schemas.microsoft.com/identity/claims/tenantid", TestIssuer.DefaultTenantId),
            ],
            CookieAuthenticationDefaults.AuthenticationScheme);
        if (context.Request.Query.ContainsKey("guest"))
            identity.AddClaim(new Claim("acct", "1"));
        await context.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, new ClaimsPrincipal(identity));
    });

    internal static async Task<string> SignInAsync(Site site, string user, string query = "")
    {
        using var response = await site.SendAsync(null, $"/sign-in/{user}?{query}");
        response.EnsureSuccessStatusCode();
        return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static Task<HttpResponseMessage> GetAsync(Site site, string cookie) =>
        site.SendAsync(null, "/orders", request => request.Headers.Add("Cookie", cookie));
}
