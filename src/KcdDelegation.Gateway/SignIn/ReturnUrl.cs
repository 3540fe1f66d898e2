using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The addresses to which a user returns after a sign-in: only those of the application itself.</summary>
/// <remarks>An address is always absolute: the origin of the settings, followed by a path. A browser would read a path such as
/// <c>//evil.example</c> or <c>/\evil.example</c> as another host.</remarks>
internal static class ReturnUrl
{
    /// <summary>The largest path with its query that is kept. It is part of the state, and providers limit addresses.</summary>
    private const int MaxLength = 2000;

    /// <summary>The characters of a path and a query (RFC 3986 §3.3, §3.4), and those that browsers do not encode.</summary>
    private static readonly SearchValues<char> Allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?%[]|");

    /// <summary>Returns the address of the request at the external address of its application.</summary>
    public static string FromRequest(Uri externalUrl, HttpRequest request)
    {
        var target = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget;
        // The form of the target that browsers send (RFC 9112 §3.2.1). Of all others, the decoded path is taken.
        if (target is not null && IsPath(target))
            return Join(externalUrl, target);
        var path = request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
        return IsPath(path) ? Join(externalUrl, path) : externalUrl.AbsoluteUri;
    }

    /// <summary>Returns the address that a parameter names: a path of the application, or an absolute address of it. Any other text is
    /// replaced by the start of the application.</summary>
    public static string FromParameter(Uri externalUrl, string? text)
    {
        var origin = externalUrl.GetLeftPart(UriPartial.Authority);
        if (text is null)
            return externalUrl.AbsoluteUri;
        // An absolute address continues the origin with a path, and not with more of the host: https://erp.contoso.com.evil.example.
        var path = text.StartsWith(origin + "/", StringComparison.OrdinalIgnoreCase) ? text[origin.Length..] : text;
        return IsPath(path) && !IsNetworkPath(path) ? Join(externalUrl, path) : externalUrl.AbsoluteUri;
    }

    /// <summary>Determines whether an address is one of the application.</summary>
    public static bool IsAddress(Uri externalUrl, string? address) =>
        address is not null && address.StartsWith(externalUrl.GetLeftPart(UriPartial.Authority) + "/", StringComparison.Ordinal)
            && !address.AsSpan().ContainsAnyExceptInRange('!', '~') && !address.Contains('\\', StringComparison.Ordinal);

    /// <summary>Returns the value of the parameter that names an address of the application: its path and query, encoded.</summary>
    public static string ToParameter(Uri externalUrl, string address) =>
        Uri.EscapeDataString(address[externalUrl.GetLeftPart(UriPartial.Authority).Length..]);

    private static string Join(Uri externalUrl, string path)
    {
        if (path.Length > MaxLength)
            path = path.IndexOf('?', StringComparison.Ordinal) is > 0 and <= MaxLength and var query ? path[..query] : "/";
        return externalUrl.GetLeftPart(UriPartial.Authority) + path;
    }

    private static bool IsPath(string text) => text.StartsWith('/') && !text.AsSpan().ContainsAnyExcept(Allowed);

    /// <summary>Determines whether the path names another host for a reader that decodes it first (<c>//</c>, <c>/%2f</c>,
    /// <c>/%5c</c>).</summary>
    private static bool IsNetworkPath(string path)
    {
        var second = path.Length > 1 ? path[1..] : "";
        for (var i = 0; i < 3 && second.Contains('%', StringComparison.Ordinal); i++)
            second = Uri.UnescapeDataString(second);
        return second.StartsWith('/') || second.StartsWith('\\') || second.Any(char.IsControl);
    }
}
