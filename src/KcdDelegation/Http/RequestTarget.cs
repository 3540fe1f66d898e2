using KcdDelegation.Diagnosis;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Tickets go to the application's own address and nowhere else, whatever the caller of the handler asks for: a ticket at another
/// host would be the user's rights in a stranger's hand.</summary>
internal static class RequestTarget
{
    /// <exception cref="KcdException">Another origin, a path outside, another host name in the Host header.</exception>
    public static void ThrowIfOutside(ApplicationSettings application, HttpRequestMessage request)
    {
        var own = application.InternalUrl;
        if (request.RequestUri is not { IsAbsoluteUri: true } target)
            throw Refuse(application, "The request has no absolute address");
        if (GetScheme(target) != own.Scheme || target.Port != own.Port || !string.Equals(target.IdnHost, own.IdnHost, StringComparison.OrdinalIgnoreCase))
            throw Refuse(application, $"The request goes to {PrintableText.Quoted(target.GetLeftPart(UriPartial.Authority))}");
        if (!IsUnder(own.AbsolutePath, target.AbsolutePath))
            throw Refuse(application, $"The request's path {PrintableText.Quoted(target.AbsolutePath)} is outside of the application's");
        // .NET checks the server's certificate against the Host header where there is one, so it is part of the target.
        // It is looked at as it would be written: what does not parse as a host is null to Headers.Host, and sent all the same.
        if (request.Headers.NonValidated.TryGetValues("Host", out var hosts) && !(hosts.Count == 1 && IsHost(own, hosts.ToString())))
            throw Refuse(application, $"The request's Host header is {PrintableText.Quoted(hosts.ToString())}");
    }

    /// <summary>Uri has resolved plain dot segments. What a backend might decode once more is looked at in the form that it would see.</summary>
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
            // "..;x" is ".." to servers that take path parameters off first.
            if (path.AsSpan(range) is ".." or ['.', '.', ';', ..])
                return true;
        }
        return false;
    }

    /// <summary>RFC 6455 §3: ws and wss are http and https until the upgrade.</summary>
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
        KcdEventId.TargetRefused,
        $"{what}, but tickets of {PrintableText.Quoted(application.Name)} are for {application.InternalUrl.GetLeftPart(UriPartial.Path)} only. Nothing was sent.",
        "Send it with a client for the application that has this address, or correct InternalUrl; leave the Host header to the handler."));
}
