using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The paths of the gateway itself, at the external address of each application. They never reach a backend.</summary>
internal static class SignInPaths
{
    /// <summary>All paths of the gateway begin with this segment.</summary>
    public static readonly PathString Root = "/.kcd";

    /// <summary>The redirect URI at which providers return users.</summary>
    public static readonly PathString Callback = "/.kcd/callback";

    /// <summary>Starts a sign-in, and returns to the path in the parameter <c>return</c>.</summary>
    public static readonly PathString SignIn = "/.kcd/sign-in";

    public static readonly PathString SignOut = "/.kcd/sign-out";

    /// <summary>The page after the sign-out, which is also the <c>post_logout_redirect_uri</c>.</summary>
    public static readonly PathString SignedOut = "/.kcd/signed-out";

    public static readonly PathString BackChannelLogout = "/.kcd/back-channel-logout";

    /// <summary>Determines whether a path is <see cref="Root"/> or below it, also for a reader that decodes a slash, reads a backslash as
    /// one, or removes path parameters.</summary>
    public static bool IsOwn(PathString path)
    {
        if (path.StartsWithSegments(Root, StringComparison.OrdinalIgnoreCase))
            return true;
        if (path.Value is not { } text || !text.StartsWith(Root.Value!, StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = text.AsSpan(Root.Value!.Length);
        return rest[0] is '\\' or ';' || rest.StartsWith("%2F", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Returns the address of a path at an application. No header of a request is part of it.</summary>
    public static string GetAddress(Uri externalUrl, PathString path) => externalUrl.GetLeftPart(UriPartial.Authority) + path.Value;
}
