using KcdDelegation.Gateway.Requests;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Kerberos.Names;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>Registers sessions and the sign-in.</summary>
internal static class SignInServices
{
    /// <summary>Registers sessions in a folder of the state, with the keys that protect them, and the schemes
    /// <see cref="GatewaySchemes.Session"/> and <see cref="GatewaySchemes.SignIn"/>.</summary>
    /// <param name="services">The services of the host, with <see cref="GatewaySettingsStore"/> and a time source.</param>
    /// <param name="state">The folder for data that outlives the process.</param>
    /// <exception cref="GatewaySettingsException">The folder cannot be used.</exception>
    public static IServiceCollection AddGatewaySignIn(this IServiceCollection services, string state)
    {
        var keys = CreateFolder(state, "keys");
        CreateFolder(state, "sessions");
        services.AddDataProtection().SetApplicationName("kcd-gateway").PersistKeysToFileSystem(new DirectoryInfo(keys));
        services.AddSingleton<SessionRequests>();
        services.AddSingleton(provider => new SessionFiles(
            Path.Combine(state, "sessions"), provider.GetRequiredService<IDataProtectionProvider>()));
        services.AddSingleton(provider =>
        {
            var settings = provider.GetRequiredService<GatewaySettingsStore>();
            return new SessionStore(
                provider.GetRequiredService<SessionFiles>(), () => SessionSettings.From(settings.Current.Sessions),
                provider.GetRequiredService<SessionRequests>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILoggerFactory>());
        });
        services.AddSingleton<SessionRefresh>();
        services.AddHostedService<SessionCleanup>();
        services.AddSingleton<ITokenRefresher, TokenEndpoint>();
        services.AddSingleton<PendingSignIns>();
        services.AddSingleton<RepeatedSignIns>();
        services.AddSingleton<SignInAnswers>();
        services.AddSingleton<SignInEvents>();
        services.AddSingleton<ProviderClients>();
        services.AddTransient<SignInScheme>();
        services.AddSingleton<SignInEndpoints>();
        services.AddAuthentication(options => options.AddScheme<SignInScheme>(GatewaySchemes.SignIn, displayName: null))
            .AddScheme<AuthenticationSchemeOptions, SessionHandler>(GatewaySchemes.Session, static _ => { });
        return services;
    }

    /// <summary>Creates a folder of the state.</summary>
    /// <exception cref="GatewaySettingsException">The folder cannot be created.</exception>
    private static string CreateFolder(string state, string name)
    {
        var path = Path.Combine(state, name);
        try
        {
            SessionFiles.CreatePrivateDirectory(path);
            return path;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new GatewaySettingsException(
                [$"{nameof(GatewayOptions.State)} {PrintableText.Quoted(state)} cannot be used: {error.Message} Write the path of a folder "
                    + "that the gateway's user owns, and create it."]);
        }
    }
}
