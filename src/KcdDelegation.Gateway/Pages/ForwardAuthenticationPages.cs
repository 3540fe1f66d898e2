using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Pages;

/// <summary>The answers to requests of outer proxies that are not those of a client's request.</summary>
internal static class ForwardAuthenticationPages
{
    /// <summary>The proxy's request is incomplete, or it must not be asked.</summary>
    public static GatewayPage ProxyRequestRefused { get; } = new(
        StatusCodes.Status403Forbidden,
        "proxy-misconfigured",
        "This site is not set up correctly",
        "The proxy of this site has sent a request that its sign-in service does not accept. Your account is not the cause.",
        "Signing in again does not help. An administrator has to correct the configuration.");

    /// <summary>The settings of the application require what an outer proxy cannot do.</summary>
    public static GatewayPage DelegationRefused { get; } = new(
        StatusCodes.Status403Forbidden,
        "delegation-misconfigured",
        "Single sign-on to this application is not set up correctly",
        "You are signed in, but this site cannot sign you in to the application. Your account is not the cause.",
        "Signing in again does not help. An administrator has to correct the configuration.");
}
