using System.Net.Http.Headers;
using System.Text;

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
        var text = new StringBuilder();
        foreach (var value in values)
        {
            // RFC 6265 §4.2.1: pairs are separated by a semicolon. A browser never sends a quoted semicolon.
            foreach (var range in value.AsSpan().Split(';'))
            {
                var pair = value.AsSpan(range).Trim(" \t");
                if (!pair.IsEmpty && !gateway.Contains(GetName(pair)))
                    text.Append(text.Length == 0 ? "" : "; ").Append(pair);
            }
        }
        headers.Remove(Request);
        if (text.Length > 0)
            headers.TryAddWithoutValidation(Request, text.ToString());
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
            foreach (var range in value.AsSpan().Split(';'))
            {
                if (gateway.Contains(GetName(value.AsSpan(range).Trim(" \t"))))
                    return true;
            }
        }
        return false;
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
