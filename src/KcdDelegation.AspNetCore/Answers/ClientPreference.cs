using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KcdDelegation.AspNetCore.Answers;

/// <summary>Distinguishes browsers that show a page from programs.</summary>
internal static class ClientPreference
{
    /// <summary>Determines whether the response is shown to a user as a page.</summary>
    /// <remarks>Fetch Metadata is decisive: scripts cannot set it. Clients without it are distinguished by <c>Accept</c>, in which programs
    /// do not name HTML.</remarks>
    public static bool WantsPage(HttpRequest request)
    {
        var mode = request.Headers["Sec-Fetch-Mode"];
        if (mode.Count > 0)
            return mode == "navigate";
        if (string.Equals(request.Headers.XRequestedWith, "XMLHttpRequest", StringComparison.OrdinalIgnoreCase))
            return false;
        if (!MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted))
            return false;
        var (html, json) = (0.0, 0.0);
        foreach (var type in accepted)
        {
            var quality = type.Quality ?? 1;
            if (type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase))
                html = Math.Max(html, quality);
            else if (type.MediaType.EndsWith("json", StringComparison.OrdinalIgnoreCase))
                json = Math.Max(json, quality);
        }
        return html > 0 && html >= json;
    }
}
