using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The cookies of a request as they were sent: with duplicates, and with the case of their names.</summary>
internal static class RequestCookies
{
    /// <summary>Reads the pairs of the field <c>Cookie</c> (RFC 6265 §4.2.1).</summary>
    public static IEnumerable<(string Name, string Value)> Read(HttpRequest request)
    {
        foreach (var field in request.Headers.Cookie)
        {
            foreach (var pair in (field ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var end = pair.IndexOf('=', StringComparison.Ordinal);
                if (end > 0)
                    yield return (pair[..end].TrimEnd(), pair[(end + 1)..].TrimStart());
            }
        }
    }
}
