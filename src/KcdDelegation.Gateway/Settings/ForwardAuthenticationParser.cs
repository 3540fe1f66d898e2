using System.Collections.Immutable;
using System.Net;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the listeners of forward authentication.</summary>
internal static class ForwardAuthenticationParser
{
    private const string Key = $"{nameof(GatewayOptions.ForwardAuthentication)}:{nameof(ForwardAuthenticationOptions.Urls)}";
    private const string Remedy = "Write an address of this machine only, such as http://127.0.0.1:4180";

    public static ImmutableArray<BindingAddress> Parse(
        ForwardAuthenticationOptions options, ImmutableArray<BindingAddress> publicUrls, SettingsErrors errors) =>
        ListenerUrls.Parse(options.Urls, Key, Remedy, text => FindProblem(text, publicUrls), errors);

    private static string? FindProblem(string text, ImmutableArray<BindingAddress> publicUrls)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
            return "is not an http address";
        if (ListenerUrls.HasMore(address))
            return "has a path, a query or a user";
        // Answers have tickets of users, over plain http.
        if (!IPAddress.TryParse(address.DnsSafeHost, out var ip) || !IPAddress.IsLoopback(ip))
            return "is not a loopback address";
        return ListenerUrls.HasPort(publicUrls, address.Port) ? "has a port of Listener:Urls" : null;
    }
}
