using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Restricts requests to the application's own addresses.</summary>
/// <remarks>A ticket sent to another host would give that host the user's rights.</remarks>
internal static class RequestTarget
{
    /// <summary>Validates the target and the Host header of a request.</summary>
    /// <returns>The origin of the target: the one that the host allowed for this request, or a configured one.</returns>
    /// <exception cref="KcdException">The target has another origin, a path outside of the application's, or text that a backend could
    /// interpret in another way; or the Host header has a value that is not listed.</exception>
    public static Uri GetOrigin(ApplicationSettings application, HttpRequestMessage request)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } target)
            throw Refuse(application, "The request has no absolute address");
        if (FindOrigin(application, request) is not { } origin)
            throw Refuse(application, $"The request goes to {PrintableText.Quoted(GetOriginText(target))}");

        // The text that is sent. With DangerousDisablePathAndQueryCanonicalization it is what the host wrote, and Uri has checked nothing.
        var pathAndQuery = target.PathAndQuery;
        var path = pathAndQuery.AsSpan()[..(pathAndQuery.IndexOf('?', StringComparison.Ordinal) is >= 0 and var end ? end
            : pathAndQuery.Length)];
        // The path of InternalUrl applies to the configured origins. An origin that the host allowed has its own.
        var allowed = request.FindAllowedOrigin();
        var root = (ReferenceEquals(origin, allowed) ? allowed : application.InternalUrl ?? origin).AbsolutePath.AsSpan().TrimEnd('/');
        if (TargetText.FindViolation(pathAndQuery, path, allowsEncodedSlashes: root.IsEmpty || application.AllowEncodedSlashes) is { } why)
            throw Refuse($"The target of the request to {PrintableText.Quoted(application.Name)} {why}.",
                why == TargetText.EncodedSlash ? "Correct the link, or set AllowEncodedSlashes of the application to true."
                    : "Correct the link or the client that sends it.");
        if (!IsUnder(root, path))
            throw Refuse(application, $"The request's path {PrintableText.Quoted(path.ToString())} is outside of the application's");
        // .NET checks the server's certificate against the Host header if there is one, so it is part of the target. The raw value is
        // checked: Headers.Host is null for a value that does not parse as a host, but .NET sends it all the same.
        if (request.Headers.NonValidated.TryGetValues("Host", out var hosts)
            && !(hosts.Count == 1 && (IsOwnHost(origin, hosts.ToString()) || application.AllowedHosts.Contains(hosts.ToString())
                || string.Equals(hosts.ToString(), request.FindAllowedHost(), StringComparison.OrdinalIgnoreCase))))
            throw Refuse(application, $"The request's Host header is {PrintableText.Quoted(hosts.ToString())}");
        return origin;
    }

    /// <summary>Determines whether a value of the Host header is the one that belongs to the origin.</summary>
    public static bool IsOwnHost(Uri origin, string host) =>
        string.Equals(host, origin.Authority, StringComparison.OrdinalIgnoreCase)
        || string.Equals(host, $"{origin.IdnHost}:{origin.Port}", StringComparison.OrdinalIgnoreCase)
        || (origin.IsDefaultPort && string.Equals(host, origin.IdnHost, StringComparison.OrdinalIgnoreCase));

    private static Uri? FindOrigin(ApplicationSettings application, HttpRequestMessage request)
    {
        var target = request.RequestUri!;
        if (request.FindAllowedOrigin() is { } allowed && IsSameOrigin(allowed, target)
            && (allowed.Scheme == Uri.UriSchemeHttps || application.AllowPlainHttp))
            return allowed;
        if (application.InternalUrl is { } own && IsSameOrigin(own, target))
            return own;
        foreach (var origin in application.AdditionalOrigins)
        {
            if (IsSameOrigin(origin, target))
                return origin;
        }
        return null;
    }

    private static bool IsSameOrigin(Uri origin, Uri target) => GetScheme(target) == origin.Scheme && target.Port == origin.Port
        && string.Equals(target.IdnHost, origin.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Determines whether a path is the root or below it. <see cref="TargetText"/> has refused dot segments.</summary>
    private static bool IsUnder(ReadOnlySpan<char> root, ReadOnlySpan<char> path) =>
        path.StartsWith(root, StringComparison.Ordinal) && (path.Length == root.Length || path[root.Length] == '/');

    /// <summary>Returns the scheme of the connection. ws and wss are http and https until the upgrade (RFC 6455 §3).</summary>
    private static string GetScheme(Uri target) => target.Scheme switch
    {
        "ws" => Uri.UriSchemeHttp,
        "wss" => Uri.UriSchemeHttps,
        var scheme => scheme,
    };

    /// <summary>Returns the scheme, host and port, without user information: it may contain a password (RFC 3986 §7.5).</summary>
    private static string GetOriginText(Uri target) => target.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private static KcdException Refuse(ApplicationSettings application, string what) => Refuse(
        $"{what}, but requests of {PrintableText.Quoted(application.Name)} are sent to "
            + (application.InternalUrl?.GetLeftPart(UriPartial.Path) ?? "the destinations of its clusters")
            + $"{(application.AdditionalOrigins.IsEmpty ? "" : ", to its AdditionalOrigins")} only.",
        "Use a client for the application that has this address, or correct InternalUrl or AdditionalOrigins. Leave the Host header to the "
            + "handler, or list its value in AllowedHosts.");

    private static KcdException Refuse(string cause, string remedy) =>
        new(new DelegationFailure(
            KcdStage.Target, KcdErrorKind.BadRequest, KcdEventId.TargetRefused, $"{cause} Nothing was sent.", remedy));
}
