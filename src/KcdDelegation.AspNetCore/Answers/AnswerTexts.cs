using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>The texts of one problem, for users.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Type">The identifier of the problem type.</param>
/// <param name="Title">The problem.</param>
/// <param name="Explanation">What it means.</param>
/// <param name="Advice">What the user can do.</param>
internal sealed record AnswerTexts(int Status, string Type, string Title, string Explanation, string Advice)
{
    /// <summary>Gets the texts of a problem.</summary>
    /// <remarks>The documents of application proxies distinguish two: a user without permission, and a misconfigured
    /// delegation.</remarks>
    public static AnswerTexts Get(KcdErrorKind kind) => kind switch
    {
        KcdErrorKind.UserNotPermitted => new AnswerTexts(
            StatusCodes.Status403Forbidden,
            "urn:kcddelegation:problem:user-not-permitted",
            "You do not have permission to use this application",
            "You are signed in, but your account is not allowed to use this application through this site. Other users are not affected.",
            "If you have another account for this application, sign out and sign in with that account. Otherwise, ask for access."),
        KcdErrorKind.BadRequest => new AnswerTexts(
            StatusCodes.Status400BadRequest,
            "urn:kcddelegation:problem:request-not-accepted",
            "This request cannot be sent to the application",
            "This site does not pass on the request because of its address, its method or one of its headers.",
            "Go back, and try again from the start page of the application."),
        KcdErrorKind.Unavailable => new AnswerTexts(
            StatusCodes.Status503ServiceUnavailable,
            "urn:kcddelegation:problem:unavailable",
            "Sign-in to this application is temporarily unavailable",
            "You are signed in, but a server that signs you in to the application does not respond. Your account is not the cause.",
            "Wait a moment, and try again."),
        KcdErrorKind.NotAuthenticated => new AnswerTexts(
            StatusCodes.Status401Unauthorized,
            "urn:kcddelegation:problem:not-authenticated",
            "Sign in to use this application",
            "You are not signed in, or your sign-in is no longer valid.",
            "Sign in, and try again."),
        _ => new AnswerTexts(
            StatusCodes.Status403Forbidden,
            "urn:kcddelegation:problem:delegation-misconfigured",
            "Single sign-on to this application is not set up correctly",
            "You are signed in, but this site cannot sign you in to the application. Your account is not the cause.",
            "Signing in again does not help. An administrator has to correct the configuration."),
    };
}
