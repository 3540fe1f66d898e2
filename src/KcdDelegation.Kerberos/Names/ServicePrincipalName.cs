using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>class/host[:port][/name][@REALM]. The text requested is kept exactly: delegation lists are matched on it. Immutable,
/// thread-safe, compared ordinally.</summary>
public sealed record ServicePrincipalName : IParsable<ServicePrincipalName>
{
    private readonly string _text;

    private ServicePrincipalName(string text) => _text = text;

    /// <summary>The first component, such as <c>HTTP</c>.</summary>
    public string ServiceClass { get; private init; } = "";

    /// <summary>The host without its port.</summary>
    public string Host { get; private init; } = "";

    /// <summary>The port, or null.</summary>
    public int? Port { get; private init; }

    /// <summary>The third component, or null.</summary>
    public string? ServiceName { get; private init; }

    /// <summary>The realm after the <c>@</c>; null: the account's own.</summary>
    public string? Realm { get; private init; }

    /// <summary>The components in messages, without the realm.</summary>
    internal string[] Components => (Realm is null ? _text : _text[..^(Realm.Length + 1)]).Split('/');

    /// <summary>Reads a service principal name.</summary>
    /// <exception cref="FormatException">Not of the form class/host[:port][/name][@REALM].</exception>
    public static ServicePrincipalName Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Read(s, out var why) ?? throw new FormatException($"Not a service principal name: {why}. It looks like HTTP/web.contoso.com.");
    }

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out ServicePrincipalName result)
    {
        result = s is null ? null : Read(s, out _);
        return result is not null;
    }

    /// <summary>The text as it was given.</summary>
    public override string ToString() => _text;

    private static ServicePrincipalName? Read(string text, out string? why)
    {
        why = KerberosNameRules.FindViolation(text, "it");
        if (why is null && text.AsSpan().IndexOfAny(" \\\"<>") >= 0)
            why = "a space, quote, backslash or angle bracket does not belong in it";
        if (why is not null)
            return null;

        var at = text.IndexOf('@', StringComparison.Ordinal);
        var realm = at < 0 ? null : text[(at + 1)..];
        if (realm is not null && (realm.Length == 0 || realm.AsSpan().IndexOfAny("@/:") >= 0))
        {
            why = "the part behind @ is not a realm";
            return null;
        }
        var components = (at < 0 ? text : text[..at]).Split('/');
        if (components.Length is < 2 or > 3 || components.Any(component => component.Length == 0))
        {
            why = "two or three components are separated by slashes";
            return null;
        }
        var host = components[1];
        int? port = null;
        var colon = host.LastIndexOf(':');
        if (colon >= 0)
        {
            if (!int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535 || colon == 0)
            {
                why = "the part behind the colon is not a port";
                return null;
            }
            (host, port) = (host[..colon], number);
        }
        return new ServicePrincipalName(text)
        {
            ServiceClass = components[0],
            Host = host,
            Port = port,
            ServiceName = components.Length == 3 ? components[2] : null,
            Realm = realm,
        };
    }
}
