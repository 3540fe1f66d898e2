using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.EntityFrameworkCore;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace KcdDelegation.Samples.GatewayDemo;

/// <summary>An OpenID Connect provider with two users and one client, the gateway. It keeps everything in memory.</summary>
/// <remarks>It asks for no password, so it must listen on loopback only.</remarks>
internal sealed class IdentityProvider : IAsyncDisposable
{
    public const string ClientId = "kcd-gateway";

    private const string Cookies = CookieAuthenticationDefaults.AuthenticationScheme;
    private const string Server = OpenIddictServerAspNetCoreDefaults.AuthenticationScheme;

    private readonly WebApplication _app;

    private IdentityProvider(WebApplication app, Uri address) => (_app, Address) = (app, address);

    public static IReadOnlyList<string> Users { get; } = ["ada", "bob"];

    public Uri Address { get; }

    public static async Task<IdentityProvider> StartAsync(int port, Uri gateway, string secret, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(Uri.UriSchemeHttp, "127.0.0.1", port).Uri;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        builder.Services.AddLogging();
        builder.Services.AddRouting();
        AddProvider(builder.Services, address);
        var app = builder.Build();
        app.UseRouting();
        app.UseAuthentication();
        // A delegate and not a RequestDelegate, which would discard the result.
        app.MapMethods("/authorize", [HttpMethods.Get, HttpMethods.Post], (Delegate)AuthorizeAsync);
        app.MapMethods("/end-session", [HttpMethods.Get, HttpMethods.Post], (Delegate)EndSessionAsync);
        app.MapGet("/sign-in", ShowSignInAsync);
        app.MapPost("/sign-in", (Delegate)SignInAsync);
        var provider = new IdentityProvider(app, address);
        await provider.AddClientAsync(gateway, secret, cancellationToken);
        await app.StartAsync(cancellationToken);
        await WarmUpAsync(address, cancellationToken);
        return provider;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void AddProvider(IServiceCollection services, Uri address)
    {
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAuthentication(Cookies).AddCookie(cookie => (cookie.LoginPath, cookie.Cookie.Name) = ("/sign-in", "provider"));
        services.AddDbContext<DbContext>(context => context.UseInMemoryDatabase("provider").UseOpenIddict());
        services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>().DisableBulkOperations())
            .AddServer(server =>
            {
                server.SetIssuer(address)
                    .SetAuthorizationEndpointUris("authorize")
                    .SetTokenEndpointUris("token")
                    .SetEndSessionEndpointUris("end-session");
                server.AllowAuthorizationCodeFlow().AllowRefreshTokenFlow().RequireProofKeyForCodeExchange();
                server.RegisterScopes(Scopes.Profile);
                server.AddEphemeralEncryptionKey().AddEphemeralSigningKey();
                // Plain http on loopback.
                server.UseAspNetCore().DisableTransportSecurityRequirement()
                    .EnableAuthorizationEndpointPassthrough().EnableEndSessionEndpointPassthrough();
            });
    }

    /// <summary>Requests the documents that the gateway reads at the first sign-in.</summary>
    /// <remarks>The first answer of a provider takes seconds, while its code is compiled. On a busy machine that can be longer than the
    /// gateway waits, and the first user would be asked to try again.</remarks>
    private static async Task WarmUpAsync(Uri address, CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        foreach (var document in (string[])[".well-known/openid-configuration", ".well-known/jwks"])
            await http.GetStringAsync(new Uri(address, document), cancellationToken);
    }

    private async Task AddClientAsync(Uri gateway, string secret, CancellationToken cancellationToken)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>().CreateAsync(
            new OpenIddictApplicationDescriptor
            {
                ClientId = ClientId,
                ClientSecret = secret,
                ClientType = ClientTypes.Confidential,
                ConsentType = ConsentTypes.Implicit,
                RedirectUris = { new Uri(gateway, "/.kcd/callback") },
                PostLogoutRedirectUris = { new Uri(gateway, "/.kcd/signed-out") },
                Permissions =
                {
                    Permissions.Endpoints.Authorization, Permissions.Endpoints.Token, Permissions.Endpoints.EndSession,
                    Permissions.GrantTypes.AuthorizationCode, Permissions.GrantTypes.RefreshToken, Permissions.ResponseTypes.Code,
                    Permissions.Scopes.Profile,
                },
            },
            cancellationToken);
    }

    private static async Task<IResult> AuthorizeAsync(HttpContext context)
    {
        var request = context.GetOpenIddictServerRequest()!;
        var session = await context.AuthenticateAsync(Cookies);
        if (session.Principal?.Identity?.Name is not { } name || request.HasPromptValue(PromptValues.Login)
            || request.HasPromptValue(PromptValues.SelectAccount))
        {
            // The request goes on after the sign-in, without the prompt that has then been answered.
            var query = QueryString.Create(context.Request.Query.Where(parameter => parameter.Key != Parameters.Prompt));
            return Results.Challenge(new AuthenticationProperties { RedirectUri = context.Request.Path + query }, [Cookies]);
        }
        var identity = new ClaimsIdentity("demo", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, name).SetClaim(Claims.Name, name);
        // The names under which directories and the gateway know a user.
        identity.SetClaim(Claims.PreferredUsername, $"{name}@contoso.test").SetClaim("upn", $"{name}@contoso.test");
        identity.SetScopes(request.GetScopes());
        identity.SetDestinations(static _ => [Destinations.IdentityToken]);
        return Results.SignIn(new ClaimsPrincipal(identity), authenticationScheme: Server);
    }

    private static Task ShowSignInAsync(HttpContext context) => Page.WriteAsync(context, "Sign in", $"""
        <p>This is the identity provider. It asks for no password.</p>
        <form method="post">
        {string.Concat(Users.Select(user => $"<button name=\"user\" value=\"{user}\">{user}</button>"))}
        </form>
        """);

    private static async Task<IResult> SignInAsync(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        var address = context.Request.Query[CookieAuthenticationDefaults.ReturnUrlParameter].ToString();
        if (!Users.Contains(form["user"].ToString(), StringComparer.Ordinal)
            || !address.StartsWith("/authorize?", StringComparison.Ordinal))
            return Results.BadRequest();
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, form["user"].ToString())], Cookies);
        await context.SignInAsync(Cookies, new ClaimsPrincipal(identity));
        return Results.LocalRedirect(address);
    }

    private static async Task<IResult> EndSessionAsync(HttpContext context)
    {
        await context.SignOutAsync(Cookies);
        return Results.SignOut(new AuthenticationProperties { RedirectUri = "/" }, [Server]);
    }
}
