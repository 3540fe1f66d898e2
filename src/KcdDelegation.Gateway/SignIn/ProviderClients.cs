using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The OpenID Connect clients of the providers in the settings. Thread-safe.</summary>
/// <remarks>They are not registered as schemes: providers come and go with the settings, and the application of a request names its
/// provider.</remarks>
internal sealed class ProviderClients(
    ProviderRegistry providers, IDataProtectionProvider protection, SignInEvents events, PendingSignIns pending,
    ILoggerFactory loggerFactory, TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    private readonly ConcurrentDictionary<string, Client> _clients = new(StringComparer.OrdinalIgnoreCase);

    // A redirect would send the client's secret to another address.
    private readonly SocketsHttpHandler _backchannel = new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    /// <summary>Creates the handler of a request for a provider; null if the settings have no sign-in with it.</summary>
    public async Task<ProviderHandler?> CreateHandlerAsync(HttpContext context, string providerName)
    {
        if (FindClient(providerName) is not { } client)
            return null;
        var handler = new ProviderHandler(client, loggerFactory, HtmlEncoder.Default, UrlEncoder.Default, pending);
        await handler.InitializeAsync(
            new AuthenticationScheme(GetSchemeName(client.Provider.Settings), displayName: null, typeof(ProviderHandler)), context);
        return handler;
    }

    /// <summary>Returns the metadata of a provider; null if the settings have no sign-in with it.</summary>
    /// <exception cref="SignInException">The provider does not answer.</exception>
    public async Task<OpenIdConnectConfiguration?> FindMetadataAsync(string providerName, CancellationToken cancellationToken) =>
        FindClient(providerName) is { } client ? await GetMetadataAsync(client.Options, cancellationToken) : null;

    /// <summary>Returns the metadata.</summary>
    /// <exception cref="SignInException">The provider does not answer.</exception>
    public static async Task<OpenIdConnectConfiguration> GetMetadataAsync(OpenIdConnectOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await options.ConfigurationManager!.GetConfigurationAsync(cancellationToken);
        }
        // The platform throws it for every failure of the download and of the rules.
        catch (Exception error) when (error is InvalidOperationException or HttpRequestException or IOException)
        {
            throw new SignInException(
                SignInFailure.ProviderUnavailable,
                $"The metadata of the provider cannot be loaded: {error.InnerException?.Message ?? error.Message}");
        }
    }

    /// <summary>Sends a request of the gateway to a provider.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var client = new HttpMessageInvoker(_backchannel, disposeHandler: false);
        return await client.SendAsync(request, cancellationToken);
    }

    public void Dispose() => _backchannel.Dispose();

    private Client? FindClient(string name)
    {
        if (providers.Find(name) is not { Settings.SignIn: { } signIn } provider)
            return null;
        return _clients.AddOrUpdate(
            name, _ => Create(provider, signIn),
            (_, current) => ReferenceEquals(current.Provider, provider) ? current : Create(provider, signIn));
    }

    private Client Create(IdentityProvider provider, SignInOptions signIn)
    {
        var token = provider.Settings.Token;
        var options = new OpenIdConnectOptions
        {
            ClientId = token.ClientId,
            MetadataAddress = token.DiscoveryDocument.AbsoluteUri,
            RequireHttpsMetadata = token.DiscoveryDocument.Scheme == Uri.UriSchemeHttps,
            ResponseType = OpenIdConnectResponseType.Code,
            // The answer is a navigation, so cookies with SameSite=Lax are sent. A form would need SameSite=None.
            ResponseMode = OpenIdConnectResponseMode.Query,
            UsePkce = true,
            CallbackPath = SignInPaths.Callback,
            SignInScheme = GatewaySchemes.Session,
            RemoteAuthenticationTimeout = PendingSignIns.Life,
            // The request has the secret, which the handler does not know.
            PushedAuthorizationBehavior = PushedAuthorizationBehavior.Disable,
            MapInboundClaims = false,
            DisableTelemetry = true,
            TokenHandler = new ProviderTokenHandler(provider),
            Events = events.For(provider),
            BackchannelHttpHandler = _backchannel,
            BackchannelTimeout = Timeout,
            TimeProvider = timeProvider,
            // The nonce is in the state, which data protection authenticates. SignInEvents supplies it, so it is always compared.
            ProtocolValidator = new OpenIdConnectProtocolValidator
            {
                RequireNonce = false,
                RequireTimeStampInNonce = false,
                RequireStateValidation = false,
            },
        };
        options.Scope.Clear();
        foreach (var scope in signIn.Scopes.Prepend("openid").Distinct(StringComparer.Ordinal))
            options.Scope.Add(scope);
        // The claims stay as they are in the token: the mapping and the conditions of applications read them.
        options.ClaimActions.Clear();
        var name = GetSchemeName(provider.Settings);
        new OpenIdConnectPostConfigureOptions(protection).PostConfigure(name, options);
        options.ConfigurationManager = new ConfigurationManager<OpenIdConnectConfiguration>(
            options.MetadataAddress,
            new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(options.Backchannel) { RequireHttps = options.RequireHttpsMetadata },
            new ProviderMetadataRules(token));
        options.Validate(name);
        return new Client(provider, options);
    }

    private static string GetSchemeName(ProviderSettings settings) => $"{GatewaySchemes.SignIn}:{settings.Name}";

    /// <summary>The client of one provider.</summary>
    private sealed class Client(IdentityProvider provider, OpenIdConnectOptions options) : IOptionsMonitor<OpenIdConnectOptions>
    {
        public IdentityProvider Provider => provider;

        public OpenIdConnectOptions Options => options;

        public OpenIdConnectOptions CurrentValue => options;

        public OpenIdConnectOptions Get(string? name) => options;

        public IDisposable? OnChange(Action<OpenIdConnectOptions, string?> listener) => null;
    }
}
