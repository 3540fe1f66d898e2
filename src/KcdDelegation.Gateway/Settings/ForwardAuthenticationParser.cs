using System.Collections.Immutable;
using System.Net;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the listeners of forward authentication.</summary>
internal static class ForwardAuthenticationParser
{
    private const string Key = $"{nameof(GatewayOptions.ForwardAuthentication)}:{nameof(ForwardAuthenticationOptions.Urls)}";
    private const string Remedy =
        "Write an address of this machine only, such as http://unix:/run/kcd-forward/auth.sock or http://127.0.0.1:4180";

    public static ImmutableArray<BindingAddress> Parse(
        ForwardAuthenticationOptions options, ImmutableArray<BindingAddress> publicUrls, SettingsErrors errors) =>
        ListenerUrls.Parse(options.Urls, Key, Remedy, text => FindProblem(text, publicUrls), errors);

    private static string? FindProblem(string text, ImmutableArray<BindingAddress> publicUrls)
    {
        if (text.StartsWith(ListenerUrls.UnixPrefix, StringComparison.Ordinal))
            return FindSocketProblem(text[ListenerUrls.UnixPrefix.Length..]);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
            return "is not an http address";
        if (ListenerUrls.HasMore(address))
            return "has a path, a query or a user";
        // Answers have tickets of users, over plain http.
        if (!IPAddress.TryParse(address.DnsSafeHost, out var ip) || !IPAddress.IsLoopback(ip))
            return "is not a loopback address";
        return ListenerUrls.HasPort(publicUrls, address.Port) ? "has a port of Listener:Urls" : null;
    }

    /// <summary>Returns the problem of the path of a socket; null for none.</summary>
    private static string? FindSocketProblem(string path)
    {
        // sockaddr_un of unix(7) has 108 bytes. Kestrel takes what follows a colon for a path of requests.
        if (!Path.IsPathFullyQualified(path) || path.Length >= 100 || path.Contains(':', StringComparison.Ordinal))
            return "is not an absolute path of less than 100 characters without a colon";
        return Directory.Exists(Path.GetDirectoryName(path)) ? null : "is in a folder that does not exist";
    }
}
