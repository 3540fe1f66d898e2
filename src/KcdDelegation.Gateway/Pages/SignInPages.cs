using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Pages;

/// <summary>The answers of the sign-in.</summary>
internal static class SignInPages
{
    /// <summary>The request cannot be sent to the provider and back without a loss.</summary>
    public static GatewayPage Required { get; } = new(
        StatusCodes.Status401Unauthorized,
        "sign-in-required",
        "Sign in to use this application",
        "You are not signed in, or your session has ended. What you have just sent did not reach the application.",
        "Sign in, and send it again. To keep what you have written, go back and copy it first.");

    /// <summary>The provider has returned an error.</summary>
    public static GatewayPage ProviderError { get; } = new(
        StatusCodes.Status403Forbidden,
        "sign-in-refused",
        "The identity provider did not sign you in",
        "You were sent to the identity provider, and it returned an error instead of a sign-in.",
        "If you cancelled the sign-in or chose another account by mistake, try again.");

    /// <summary>The state of the sign-in is unknown, used or too old.</summary>
    public static GatewayPage StateLost { get; } = new(
        StatusCodes.Status400BadRequest,
        "sign-in-expired",
        "This sign-in is no longer valid",
        "The sign-in took too long, was completed before, or did not begin in this browser.",
        "Try again. If this page returns, allow cookies for this site.");

    /// <summary>The answer of the provider or a token in it is not accepted.</summary>
    public static GatewayPage AnswerRefused { get; } = new(
        StatusCodes.Status403Forbidden,
        "sign-in-not-accepted",
        "This site does not accept the sign-in",
        "The identity provider has signed you in, but its answer does not meet the rules of this site.",
        "Try again. If this page returns, an administrator has to find the reason in the log.");

    /// <summary>The user has not authenticated in the way that the application requires.</summary>
    public static GatewayPage AcrMissing { get; } = new(
        StatusCodes.Status403Forbidden,
        "stronger-sign-in-required",
        "This application requires a stronger sign-in",
        "The identity provider has signed you in, but not in the way that this application requires, such as with a second factor.",
        "Try again, and choose the stronger way to sign in. If you are not asked for it, ask for help.");

    /// <summary>The provider does not answer.</summary>
    public static GatewayPage ProviderUnavailable { get; } = new(
        StatusCodes.Status503ServiceUnavailable,
        "identity-provider-unavailable",
        "Sign-in is temporarily unavailable",
        "The identity provider does not respond to this site.",
        "Wait a moment, and try again.");

    /// <summary>There are as many sessions as the settings allow.</summary>
    public static GatewayPage SessionLimit { get; } = new(
        StatusCodes.Status503ServiceUnavailable,
        "too-many-sessions",
        "Too many users are signed in",
        "The identity provider has signed you in, but this site cannot begin another session now.",
        "Wait a moment, and open the application again.");

    /// <summary>The folder of the sessions, or the keys in it, cannot be used.</summary>
    public static GatewayPage StateUnusable { get; } = new(
        StatusCodes.Status503ServiceUnavailable,
        "sign-in-not-stored",
        "This site cannot sign you in now",
        "Your account is not the cause. This site cannot store the sign-ins of users at the moment.",
        "Wait a moment, and open the application again. If this page returns, an administrator has to find the reason in the log.");

    /// <summary>The sessions of the browser are not accepted.</summary>
    public static GatewayPage Loop { get; } = new(
        StatusCodes.Status403Forbidden,
        "sign-in-repeats",
        "The sign-in does not last",
        "You were signed in several times within a minute, and the application asked for a sign-in again each time.",
        "Wait a minute, and open the application again. If this page returns, an administrator has to find the reason in the log.");

    public static GatewayPage NotFound { get; } = new(
        StatusCodes.Status404NotFound,
        "no-such-page",
        "There is no such page here",
        "The address belongs to this site and not to the application, and there is nothing at it.",
        "Open the start page of the application.");

    public static GatewayPage MethodNotAllowed { get; } = new(
        StatusCodes.Status405MethodNotAllowed,
        "method-not-allowed",
        "This page cannot be used in this way",
        "The request was sent with a method that this page does not have.",
        "Open the start page of the application.");
}
