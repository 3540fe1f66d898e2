using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Pages;

/// <summary>The answers to requests that reach no application.</summary>
internal static class HostPages
{
    /// <summary>The host of the request is that of no application.</summary>
    public static GatewayPage NoApplication { get; } = new(
        StatusCodes.Status404NotFound,
        "no-such-application",
        "There is no such application here",
        "This site does not have an application with the address that you opened.",
        "Check the address, and open it again.");

    /// <summary>The request came over plain http.</summary>
    public static GatewayPage HttpsRequired { get; } = new(
        StatusCodes.Status403Forbidden,
        "https-required",
        "This application requires https",
        "The request was sent over a connection that is not encrypted.",
        "Open the address again with https.");

    /// <summary>The user does not meet a condition of the application.</summary>
    public static GatewayPage NotPermitted { get; } = new(
        StatusCodes.Status403Forbidden,
        "user-not-permitted",
        "You do not have permission to use this application",
        "You are signed in, but your account does not meet the conditions that an administrator has set for this application.",
        "If you have another account for this application, sign out and sign in with that account. Otherwise, ask for access.");

    /// <summary>The application does not answer.</summary>
    public static GatewayPage ApplicationUnavailable { get; } = new(
        StatusCodes.Status502BadGateway,
        "application-unavailable",
        "The application does not respond",
        "You are signed in, but the server of the application did not send a complete answer.",
        "Wait a moment, and try again.");
}
