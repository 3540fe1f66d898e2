using System.Diagnostics.CodeAnalysis;

namespace KcdDelegation.Gateway.Applications;

/// <summary>The attribute <c>Domain</c> of a cookie that an application sets.</summary>
/// <remarks>The internal domain is not that of the client, which would drop the cookie. A common domain of several applications would send
/// the cookie of one to the others, and let it replace theirs. Without the attribute, the cookie belongs to the external host
/// alone.</remarks>
internal static class CookieDomain
{
    /// <summary>Removes the attribute from a value of <c>Set-Cookie</c>. Other attributes keep their order and their text.</summary>
    [return: NotNullIfNotNull(nameof(cookie))]
    public static string? Remove(string? cookie)
    {
        if (cookie is null || !cookie.Contains("domain", StringComparison.OrdinalIgnoreCase))
            return cookie;
        // RFC 6265 §5.2: attributes follow the first semicolon, and no quotation marks change that.
        var parts = cookie.Split(';');
        return string.Join(';', parts.Where((part, index) => index == 0 || !IsDomain(part)));
    }

    private static bool IsDomain(string attribute)
    {
        var end = attribute.IndexOf('=', StringComparison.Ordinal);
        return (end < 0 ? attribute : attribute[..end]).AsSpan().Trim(" \t").Equals("domain", StringComparison.OrdinalIgnoreCase);
    }
}
