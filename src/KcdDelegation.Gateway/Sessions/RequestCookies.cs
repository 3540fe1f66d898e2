using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The cookies of a request as they were sent: with duplicates, and with the case of their names.</summary>
internal static class RequestCookies
{
    private static readonly char[] s_spaces = [' ', '\t'];

    /// <summary>Reads the pairs of the field <c>Cookie</c> (RFC 6265 §4.2.1).</summary>
    /// <remarks>Only the spaces of RFC 6265 §5.2 are removed, as browsers do. A sibling domain can set a cookie whose name begins with
    /// another white space (U+2000), since it does not begin with <c>__Host-</c> for the browser. Without the space, it would.</remarks>
    public static IEnumerable<(string Name, string Value)> Read(HttpRequest request)
    {
        foreach (var field in request.Headers.Cookie)
        {
            foreach (var text in (field ?? "").Split(';'))
            {
                var pair = text.Trim(s_spaces);
                var end = pair.IndexOf('=', StringComparison.Ordinal);
                if (end > 0)
                    yield return (pair[..end].TrimEnd(s_spaces), pair[(end + 1)..].TrimStart(s_spaces));
            }
        }
    }
}
