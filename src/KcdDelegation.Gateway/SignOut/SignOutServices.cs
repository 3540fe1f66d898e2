using KcdDelegation.Gateway.SignIn;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>Registers the sign-out.</summary>
internal static class SignOutServices
{
    /// <summary>Registers the sign-out.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="state">The folder for data that outlives the process.</param>
    public static IServiceCollection AddGatewaySignOut(this IServiceCollection services, string state) => services
        .AddSingleton<SessionEnd>()
        .AddSingleton(provider => new LogoutTokens(
            new OneTimeValues(provider.GetRequiredService<TimeProvider>(), Path.Combine(state, "logout-tokens")),
            provider.GetRequiredService<ILoggerFactory>()))
        .AddSingleton<BackChannelLogout>()
        .AddSingleton<SignOutEndpoints>();
}
