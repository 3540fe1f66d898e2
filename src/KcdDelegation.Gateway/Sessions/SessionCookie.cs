using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The cookie with the reference of the session.</summary>
/// <remarks>The prefix <c>__Host-</c> makes browsers refuse the cookie from another host, such as a sibling domain, with a domain, with
/// another path, and over plain HTTP.</remarks>
internal static class SessionCookie
{
    public const string Name = "__Host-kcd-session";

    /// <summary>The prefix of the names of all cookies of the gateway, for the cookies that a backend neither receives nor sets.</summary>
    public const string GatewayNames = "__Host-kcd-*";

    /// <summary>Reads the reference; null without a cookie, or with several ones that differ.</summary>
    public static SessionReference? Read(HttpRequest request)
    {
        SessionReference? found = null;
        // The platform's collection keeps one cookie of each name and compares names without regard to case.
        foreach (var (name, value) in RequestCookies.Read(request))
        {
            if (name != Name)
                continue;
            if (!SessionReference.TryParse(value, out var reference) || (found is not null && found != reference))
                return null;
            found = reference;
        }
        return found;
    }

    public static void Append(HttpResponse response, string reference) => Append(response, Name, reference, expires: null);

    public static void Delete(HttpResponse response) => Append(response, Name, "", DateTimeOffset.UnixEpoch);

    /// <summary>Appends a cookie with the attributes that all cookies of the gateway have.</summary>
    /// <param name="response">The response.</param>
    /// <param name="name">The name. It starts with <c>__Host-</c>.</param>
    /// <param name="value">The value, which needs no encoding.</param>
    /// <param name="expires">The end; null: that of the browser's session.</param>
    public static void Append(HttpResponse response, string name, string value, DateTimeOffset? expires)
    {
        var cookie = new SetCookieHeaderValue(name, value)
        {
            Path = "/",
            Secure = true,
            HttpOnly = true,
            SameSite = Microsoft.Net.Http.Headers.SameSiteMode.Lax,
            Expires = expires,
        };
        response.Headers.Append(HeaderNames.SetCookie, cookie.ToString());
    }
}
