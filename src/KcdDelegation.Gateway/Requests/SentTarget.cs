using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.Requests;

/// <summary>The path and the query of a request as the client sent them.</summary>
/// <remarks>The server decodes a path, but not <c>%2F</c>. A path that is encoded again therefore has <c>%252F</c> for it.</remarks>
internal static class SentTarget
{
    /// <summary>The characters of a path and a query (RFC 3986 §3.3, §3.4), and the percent sign of escapes.</summary>
    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%");

    /// <summary>Returns the path and the query. They start with a slash, and have characters of an address only.</summary>
    public static string GetPathAndQuery(HttpRequest request) =>
        FindPathAndQuery(request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget) is { } sent
            ? Escape(sent) : request.Path.ToUriComponent() + request.QueryString.ToUriComponent();

    /// <summary>Returns the part of a target from its path on; null if it has none (RFC 9112 §3.2).</summary>
    public static string? FindPathAndQuery(string? target)
    {
        if (string.IsNullOrEmpty(target) || target[0] == '/')
            return string.IsNullOrEmpty(target) ? null : target;
        // The absolute form. The path starts at the first slash after the authority, unless the query starts earlier.
        if (target.IndexOf("://", StringComparison.Ordinal) is not (>= 0 and var scheme))
            return null;
        var end = target.AsSpan(scheme + 3).IndexOfAny("/?#\\");
        return end >= 0 && target[scheme + 3 + end] == '/' ? target[(scheme + 3 + end)..] : null;
    }

    private static string Escape(string sent)
    {
        if (!sent.AsSpan().ContainsAnyExcept(Allowed))
            return sent;
        var escaped = new StringBuilder(sent.Length + 16);
        foreach (var rune in sent.EnumerateRunes())
        {
            if (rune.IsAscii && Allowed.Contains((char)rune.Value))
                escaped.Append((char)rune.Value);
            else
                escaped.Append(Uri.EscapeDataString(rune.ToString()));
        }
        return escaped.ToString();
    }
}
