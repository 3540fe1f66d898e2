using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>Registers the sign-out.</summary>
internal static class SignOutServices
{
    public static IServiceCollection AddGatewaySignOut(this IServiceCollection services) => services
        .AddSingleton<SessionEnd>()
        .AddSingleton<LogoutTokens>()
        .AddSingleton<BackChannelLogout>()
        .AddSingleton<SignOutEndpoints>();
}
