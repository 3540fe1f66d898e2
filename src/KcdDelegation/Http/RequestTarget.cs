using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Restricts requests to the application's own address.</summary>
/// <remarks>A ticket sent to another host would give that host the user's rights.</remarks>
internal static class RequestTarget
{
    /// <summary>Validates the target and the Host header of a request.</summary>
    /// <exception cref="KcdException">The target has another origin, a path outside of the application's, or another host in its Host
    /// header.</exception>
    public static void ThrowIfOutside(ApplicationSettings application, HttpRequestMessage request)
    {
        var own = application.InternalUrl;
        if (request.RequestUri is not { IsAbsoluteUri: true } target)
            throw Refuse(application, "The request has no absolute address");
        if (GetScheme(target) != own.Scheme || target.Port != own.Port
            || !string.Equals(target.IdnHost, own.IdnHost, StringComparison.OrdinalIgnoreCase))
            throw Refuse(application, $"The request goes to {PrintableText.Quoted(target.GetLeftPart(UriPartial.Authority))}");
        if (!IsUnder(own.AbsolutePath, target.AbsolutePath))
            throw Refuse(application, $"The request's path {PrintableText.Quoted(target.AbsolutePath)} is outside of the application's");
        // .NET checks the server's certificate against the Host header if there is one, so it is part of the target. The raw value is
        // checked: Headers.Host is null for a value that does not parse as a host, but .NET sends it all the same.
        if (request.Headers.NonValidated.TryGetValues("Host", out var hosts) && !(hosts.Count == 1 && IsHost(own, hosts.ToString())))
            throw Refuse(application, $"The request's Host header is {PrintableText.Quoted(hosts.ToString())}");
    }

    /// <summary>Determines whether a path is below a prefix. Uri has resolved plain dot segments.</summary>
    /// <remarks>Encoded ones are checked in the forms that a backend would see after it decodes the path once or twice.</remarks>
    private static bool IsUnder(string prefix, string path)
    {
        prefix = prefix.TrimEnd('/');
        if (prefix.Length == 0)
            return true;
        return path.StartsWith(prefix, StringComparison.Ordinal)
            && (path.Length == prefix.Length || path[prefix.Length] == '/')
            && !HasParentSegment(path) && !HasParentSegment(Uri.UnescapeDataString(path))
            && !HasParentSegment(Uri.UnescapeDataString(Uri.UnescapeDataString(path)));
    }

    private static bool HasParentSegment(string path)
    {
        foreach (var range in path.AsSpan().SplitAny('/', '\\'))
        {
            // Servers that remove path parameters first read "..;x" as "..".
            if (path.AsSpan(range) is ".." or ['.', '.', ';', ..])
                return true;
        }
        return false;
    }

    /// <summary>Returns the scheme of the connection. ws and wss are http and https until the upgrade (RFC 6455 §3).</summary>
    private static string GetScheme(Uri target) => target.Scheme switch
    {
        "ws" => Uri.UriSchemeHttp,
        "wss" => Uri.UriSchemeHttps,
        var scheme => scheme,
    };

    private static bool IsHost(Uri own, string host) =>
        string.Equals(host, own.Authority, StringComparison.OrdinalIgnoreCase)
        || string.Equals(host, $"{own.IdnHost}:{own.Port}", StringComparison.OrdinalIgnoreCase)
        || (own.IsDefaultPort && string.Equals(host, own.IdnHost, StringComparison.OrdinalIgnoreCase));

    private static KcdException Refuse(ApplicationSettings application, string what) => new(new DelegationFailure(
        KcdStage.Target,
        KcdErrorKind.BadRequest, KcdEventId.TargetRefused,
        $"{what}, but tickets of {PrintableText.Quoted(application.Name)} are sent to "
            + $"{application.InternalUrl.GetLeftPart(UriPartial.Path)} only. Nothing was sent.",
        "Use a client for the application that has this address, or correct InternalUrl. Leave the Host header to the handler."));
}
