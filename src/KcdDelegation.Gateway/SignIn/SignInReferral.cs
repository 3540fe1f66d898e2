using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The answer to a browser without a session if another proxy passes the answer on: the address at which the gateway starts the
/// sign-in. A feature of the request.</summary>
/// <remarks>The address is one of the gateway, and not of the provider, because cookies of the sign-in do not pass every proxy.</remarks>
/// <param name="IsRedirect">Whether the proxy passes a redirect on. Otherwise it gets 401 with the address in
/// <see cref="Header"/>.</param>
internal sealed record SignInReferral(bool IsRedirect)
{
    /// <summary>The response header with the address of the sign-in.</summary>
    public const string Header = "X-Kcd-Sign-In";

    /// <summary>The parameter of a sign-in that no user has asked for, so that it can be one of a loop.</summary>
    public const string AutomaticParameter = "automatic";

    /// <summary>The parameter of a sign-in in which the user has to authenticate again.</summary>
    public const string LoginParameter = "login";

    /// <summary>Answers the request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="externalUrl">The external address of the application.</param>
    /// <param name="returnUrl">The address to return to, which is one of the application.</param>
    /// <param name="isStepUp">Whether the session of the browser is not enough.</param>
    public Task WriteAsync(HttpContext context, Uri externalUrl, string returnUrl, bool isStepUp)
    {
        var address = $"{SignInPaths.GetAddress(externalUrl, SignInPaths.SignIn)}?{AutomaticParameter}=1"
            + $"{(isStepUp ? $"&{LoginParameter}=1" : "")}&return={ReturnUrl.ToParameter(externalUrl, returnUrl)}";
        if (IsRedirect)
            SignInAnswers.Redirect(context, address);
        else
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers[Header] = address;
        }
        return Task.CompletedTask;
    }
}
