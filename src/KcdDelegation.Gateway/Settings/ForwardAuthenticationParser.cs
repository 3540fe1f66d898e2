using System.Collections.Immutable;
using System.Net;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses the listeners of forward authentication.</summary>
internal static class ForwardAuthenticationParser
{
    private const string Key = $"{nameof(GatewayOptions.ForwardAuthentication)}:{nameof(ForwardAuthenticationOptions.Urls)}";
    private const string Remedy = "Write an address of this machine only, such as http://127.0.0.1:4180";

    public static ImmutableArray<BindingAddress> Parse(
        ForwardAuthenticationOptions options, ImmutableArray<BindingAddress> publicUrls, SettingsErrors errors)
    {
        if (options.Urls.Count > ListenerSettingsParser.MaxUrls)
            errors.Add(Key, "has too many addresses", $"Write at most {ListenerSettingsParser.MaxUrls} addresses");
        var urls = ImmutableArray.CreateBuilder<BindingAddress>();
        for (var i = 0; i < options.Urls.Count; i++)
        {
            var text = options.Urls[i];
            if (FindProblem(text, publicUrls, out var url) is { } problem)
                errors.Add($"{Key}:{i}", $"{PrintableText.Quoted(text)} {problem}", Remedy);
            else
                urls.Add(url!);
        }
        return urls.ToImmutable();
    }

    private static string? FindProblem(string text, ImmutableArray<BindingAddress> publicUrls, out BindingAddress? url)
    {
        url = null;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
            return "is not an http address";
        if (address.PathAndQuery != "/" || address.UserInfo.Length + address.Fragment.Length > 0)
            return "has a path, a query or a user";
        // Answers have tickets of users, over plain http.
        if (!IPAddress.TryParse(address.DnsSafeHost, out var ip) || !IPAddress.IsLoopback(ip))
            return "is not a loopback address";
        if (address.Port != 0 && publicUrls.Any(other => !other.IsUnixPipe && other.Port == address.Port))
            return "has a port of Listener:Urls";
        url = BindingAddress.Parse(text);
        return null;
    }
}
