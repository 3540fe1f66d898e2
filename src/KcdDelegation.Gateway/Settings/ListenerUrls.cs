using System.Collections.Immutable;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Settings;

/// <summary>Parses lists of addresses to listen at.</summary>
internal static class ListenerUrls
{
    /// <summary>The largest number of addresses of a list. Kestrel configures its endpoints by name.</summary>
    public const int MaxCount = 32;

    /// <summary>The first part of the address of a socket of the file system. Its path follows.</summary>
    public const string UnixPrefix = "http://unix:";

    /// <summary>Returns the addresses without a problem, and adds an error for each other one.</summary>
    /// <param name="texts">The list.</param>
    /// <param name="key">The key of the list.</param>
    /// <param name="remedy">The remedy of an address with a problem.</param>
    /// <param name="findProblem">Returns the problem of an address; null for none.</param>
    /// <param name="errors">The errors of the settings.</param>
    public static ImmutableArray<BindingAddress> Parse(
        IList<string> texts, string key, string remedy, Func<string, string?> findProblem, SettingsErrors errors)
    {
        if (texts.Count > MaxCount)
            errors.Add(key, "has too many addresses", $"Write at most {MaxCount} addresses");
        var urls = ImmutableArray.CreateBuilder<BindingAddress>();
        for (var i = 0; i < texts.Count; i++)
        {
            if (findProblem(texts[i]) is { } problem)
            {
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(texts[i])} {problem}", remedy);
                continue;
            }
            var url = BindingAddress.Parse(texts[i]);
            if ((url.IsUnixPipe || url.Port != 0) && urls.Contains(url))
                errors.Add($"{key}:{i}", $"{PrintableText.Quoted(texts[i])} is in the list already", "Remove it");
            urls.Add(url);
        }
        return urls.ToImmutable();
    }

    /// <summary>Determines whether one of the addresses has a port. Port 0 stands for a free port.</summary>
    public static bool HasPort(ImmutableArray<BindingAddress> urls, int port) =>
        port != 0 && urls.Any(other => !other.IsUnixPipe && other.Port == port);

    /// <summary>Determines whether an address has more than a scheme, a host and a port.</summary>
    public static bool HasMore(Uri address) =>
        address.PathAndQuery != "/" || address.UserInfo.Length + address.Fragment.Length > 0;
}
