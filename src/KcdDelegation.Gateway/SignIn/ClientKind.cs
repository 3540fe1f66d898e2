using KcdDelegation.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The kinds of clients, which need different answers to a request without a session.</summary>
internal enum ClientKind
{
    /// <summary>A browser that opens a page. It can be sent to the provider.</summary>
    Navigation,

    /// <summary>A browser that sends a form. Its content would be lost on the way to the provider and back.</summary>
    Form,

    /// <summary>A script, a resource of a page, or a program. A redirect to a page of the provider does not help it.</summary>
    Program,
}

/// <summary>Determines the kind of a client.</summary>
internal static class ClientKinds
{
    // A plug-in (object, embed) does not show the page of a provider.
    private static readonly string[] s_pageDestinations = ["document", "iframe", "frame"];

    public static ClientKind Determine(HttpRequest request)
    {
        if (!IsNavigation(request))
            return ClientKind.Program;
        return HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) ? ClientKind.Navigation : ClientKind.Form;
    }

    private static bool IsNavigation(HttpRequest request)
    {
        // Scripts cannot set these fields. A page that is only fetched ahead may never be shown.
        if (request.Headers["Sec-Purpose"].Count > 0 || request.Headers["Purpose"] == "prefetch" || request.Headers.Upgrade.Count > 0)
            return false;
        var destination = request.Headers["Sec-Fetch-Dest"];
        if (destination.Count > 0 && !s_pageDestinations.Contains(destination.ToString(), StringComparer.Ordinal))
            return false;
        // A header that libraries for scripts add, also in browsers without fetch metadata.
        return request.Headers.XRequestedWith.Count == 0 && ClientPreference.WantsPage(request);
    }
}
