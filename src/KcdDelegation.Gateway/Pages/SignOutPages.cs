using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Pages;

/// <summary>The pages of the sign-out.</summary>
internal static class SignOutPages
{
    /// <summary>Asks whether the user wants to sign out.</summary>
    public static GatewayPage Confirm { get; } = new(
        StatusCodes.Status200OK,
        "confirm-sign-out",
        "Do you want to sign out?",
        "You are signed in to the applications of this site.",
        "Sign out, or go back to the application. Save your work first: open connections to the applications are closed.");

    /// <summary>The user has signed out.</summary>
    public static GatewayPage SignedOut { get; } = new(
        StatusCodes.Status200OK,
        "signed-out",
        "You are signed out",
        "Your sessions at the applications of this site have ended.",
        "On a shared computer, close the browser too.");
}
