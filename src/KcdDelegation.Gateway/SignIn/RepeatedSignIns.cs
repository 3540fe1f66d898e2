using System.Globalization;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>Recognizes a browser that signs in again and again because its sessions are not accepted.</summary>
/// <remarks>The provider signs a user in without a question, so such a loop would not end. The count is in a cookie of a minute: a client
/// that changes it affects only itself.</remarks>
internal sealed class RepeatedSignIns(TimeProvider timeProvider)
{
    private const string CookieName = "__Host-kcd-signed-in";

    /// <summary>The number of sign-ins within the time. Several tabs can sign in at once.</summary>
    private const int Limit = 10;

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>Determines whether a further sign-in would be one of a loop.</summary>
    public bool IsLoop(HttpRequest request) => Read(request).Count >= Limit;

    /// <summary>Counts a sign-in that succeeded.</summary>
    public void Count(HttpContext context)
    {
        var (begun, count) = Read(context.Request);
        var value = string.Create(CultureInfo.InvariantCulture, $"{begun.ToUnixTimeSeconds()}.{count + 1}");
        SessionCookie.Append(context.Response, CookieName, value, begun + Life);
    }

    private (DateTimeOffset Begun, int Count) Read(HttpRequest request)
    {
        var now = timeProvider.GetUtcNow();
        var value = RequestCookies.Read(request).FirstOrDefault(static cookie => cookie.Name == CookieName).Value;
        var parts = value?.Split('.');
        if (parts?.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && seconds <= now.ToUnixTimeSeconds() && seconds > (now - Life).ToUnixTimeSeconds())
            return (DateTimeOffset.FromUnixTimeSeconds(seconds), Math.Min(count, Limit));
        return (now, 0);
    }
}
