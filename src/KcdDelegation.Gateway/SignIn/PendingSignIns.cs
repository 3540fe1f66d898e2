using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The sign-ins that a browser has begun. Each has one cookie, which binds the answer of the provider to this browser.
/// Thread-safe.</summary>
/// <remarks>The name of the cookie has the time, so that the oldest cookies can be removed: tabs that never finish must not grow the
/// header of requests. The prefix <c>__Host-</c> keeps a sibling domain from setting such a cookie. The nonce is part of the protected
/// state, which this cookie binds to the browser too, so it has no cookie of its own.</remarks>
internal sealed class PendingSignIns(TimeProvider timeProvider)
{
    /// <summary>The prefix of the names of the cookies.</summary>
    public const string CookiePrefix = "__Host-kcd-sign-in-";

    /// <summary>The largest number of cookies after the start of a further sign-in.</summary>
    public const int MaxPending = 8;

    /// <summary>The time within which a sign-in must end.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    private const string Value = "1";
    private const int TimeLength = 12;
    private const int RandomLength = 22;

    /// <summary>The latest accepted time in milliseconds, the end of the year 9000.</summary>
    private const long MaxTime = 221_845_305_600_000;

    private readonly OneTimeValues _used = new(timeProvider);

    /// <summary>Begins a sign-in: appends its cookie, removes the oldest ones, and returns its identifier.</summary>
    public string Begin(HttpContext context)
    {
        var own = Read(context.Request);
        // Malformed names come first in the order, since they are not of this gateway.
        var ordered = own.Distinct(StringComparer.Ordinal)
            .OrderBy(static id => IsIdentifier(id) ? id : "", StringComparer.Ordinal).ToList();
        foreach (var old in ordered.Take(Math.Max(0, ordered.Count - MaxPending + 1)))
            Delete(context.Response, old);
        var now = timeProvider.GetUtcNow();
        var identifier = now.ToUnixTimeMilliseconds().ToString("x12", CultureInfo.InvariantCulture)
            + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        SessionCookie.Append(context.Response, CookiePrefix + identifier, Value, now + Life);
        return identifier;
    }

    /// <summary>Ends a sign-in. Returns false if this browser did not begin it, if it was ended before, or if it is too old.</summary>
    public bool TryEnd(HttpContext context, string? identifier)
    {
        if (identifier is null || !IsIdentifier(identifier) || Read(context.Request).Count(id => id == identifier) != 1)
            return false;
        Delete(context.Response, identifier);
        var begun = long.Parse(identifier.AsSpan(0, TimeLength), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var end = DateTimeOffset.UnixEpoch.AddMilliseconds(Math.Min(begun, MaxTime)) + Life;
        return timeProvider.GetUtcNow() < end && _used.TryUse(identifier, end);
    }

    private static List<string> Read(HttpRequest request) =>
        [.. RequestCookies.Read(request).Where(static cookie => cookie.Name.StartsWith(CookiePrefix, StringComparison.Ordinal))
            .Select(static cookie => cookie.Name[CookiePrefix.Length..])];

    private static bool IsIdentifier(string text) =>
        text.Length == TimeLength + RandomLength && SessionReference.IsHexadecimal(text.AsSpan(0, TimeLength))
            && Base64Url.IsValid(text.AsSpan(TimeLength));

    private static void Delete(HttpResponse response, string identifier) =>
        SessionCookie.Append(response, CookiePrefix + identifier, "", DateTimeOffset.UnixEpoch);
}
