using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.Yarp.Cookies;

/// <summary>Removes the gateway's cookies from the fields <c>Cookie</c> and <c>Set-Cookie</c>.</summary>
internal static class CookieFields
{
    private const string Request = "Cookie";
    private const string Response = "Set-Cookie";

    /// <summary>Removes the gateway's cookies from a request. Other cookies keep their order and their text.</summary>
    public static void RemoveFrom(HttpRequestHeaders headers, CookieNames gateway)
    {
        if (!headers.NonValidated.TryGetValues(Request, out var values) || !HasAny(values, gateway))
            return;
        var kept = new StringBuilder();
        foreach (var value in values)
            AppendOthers(kept, value, gateway);
        headers.Remove(Request);
        if (kept.Length > 0)
            headers.TryAddWithoutValidation(Request, kept.ToString());
    }

    /// <summary>Returns a value of <c>Cookie</c> without the gateway's cookies; null if there are no others. Without a cookie of the
    /// gateway, the text is not changed.</summary>
    public static string? GetOthers(StringValues values, CookieNames gateway)
    {
        var hasAny = false;
        foreach (var value in values)
            hasAny |= HasAny(value, gateway);
        if (!hasAny)
            return values.Count == 0 ? null : string.Join("; ", values.ToArray());
        var kept = new StringBuilder();
        foreach (var value in values)
            AppendOthers(kept, value, gateway);
        return kept.Length > 0 ? kept.ToString() : null;
    }

    /// <summary>Removes the gateway's cookies from a backend's response. A backend could otherwise replace the user's session.</summary>
    public static void RemoveFrom(HttpResponseHeaders headers, CookieNames gateway)
    {
        if (!headers.NonValidated.TryGetValues(Response, out var values))
            return;
        var kept = values.Where(value => !gateway.Contains(GetName(value.AsSpan().Trim(" \t")))).ToArray();
        if (kept.Length == values.Count)
            return;
        headers.Remove(Response);
        if (kept.Length > 0)
            headers.TryAddWithoutValidation(Response, kept);
    }

    private static bool HasAny(HeaderStringValues values, CookieNames gateway)
    {
        foreach (var value in values)
        {
            if (HasAny(value, gateway))
                return true;
        }
        return false;
    }

    private static bool HasAny(ReadOnlySpan<char> value, CookieNames gateway)
    {
        foreach (var range in value.Split(';'))
        {
            if (gateway.Contains(GetName(value[range].Trim(" \t"))))
                return true;
        }
        return false;
    }

    private static void AppendOthers(StringBuilder text, ReadOnlySpan<char> value, CookieNames gateway)
    {
        // RFC 6265 §4.2.1: pairs are separated by a semicolon. A browser never sends a quoted semicolon.
        foreach (var range in value.Split(';'))
        {
            var pair = value[range].Trim(" \t");
            if (!pair.IsEmpty && !gateway.Contains(GetName(pair)))
                text.Append(text.Length == 0 ? "" : "; ").Append(pair);
        }
    }

    /// <summary>Returns the name of a pair, without the spaces that servers ignore.</summary>
    /// <remarks>A browser that accepts a cookie without a name sends the value of <c>=name=value</c> as if it were the pair.</remarks>
    private static ReadOnlySpan<char> GetName(ReadOnlySpan<char> pair)
    {
        pair = pair.TrimStart(" \t=");
        var attributes = pair.IndexOf(';');
        if (attributes >= 0)
            pair = pair[..attributes];
        var end = pair.IndexOf('=');
        return (end < 0 ? pair : pair[..end]).Trim(" \t");
    }
}
