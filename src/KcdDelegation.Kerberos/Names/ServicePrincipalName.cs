using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>A service principal name: class/host[:port][/name][@REALM]. Immutable and thread-safe.</summary>
/// <remarks>The text is kept exactly, because delegation lists are compared with it. Names are compared ordinally. The host may be an IPv6
/// address, in brackets where a port follows. SQL Server and Analysis Services have an instance name instead of the port.</remarks>
public sealed record ServicePrincipalName : IParsable<ServicePrincipalName>
{
    private readonly string _text;

    private ServicePrincipalName(string text) => _text = text;

    /// <summary>The first component, such as <c>HTTP</c>.</summary>
    public string ServiceClass { get; private init; } = "";

    /// <summary>The host without port and brackets.</summary>
    public string Host { get; private init; } = "";

    /// <summary>The port, or null.</summary>
    public int? Port { get; private init; }

    /// <summary>The instance of <c>MSSQLSvc/host:INSTANCE</c>, or null.</summary>
    public string? InstanceName { get; private init; }

    /// <summary>The third component, or null.</summary>
    public string? ServiceName { get; private init; }

    /// <summary>The realm after the <c>@</c>, or null for the account's realm.</summary>
    public string? Realm { get; private init; }

    /// <summary>The components in messages, without the realm.</summary>
    internal string[] Components => (Realm is null ? _text : _text[..^(Realm.Length + 1)]).Split('/');

    /// <summary>Parses a service principal name.</summary>
    /// <exception cref="FormatException">The text does not have the form class/host[:port][/name][@REALM].</exception>
    public static ServicePrincipalName Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return Read(s, out var reason)
            ?? throw new FormatException($"The text is not a service principal name such as HTTP/web.contoso.com: {reason}.");
    }

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(
        [NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out ServicePrincipalName result)
    {
        result = s is null ? null : Read(s, out _);
        return result is not null;
    }

    /// <summary>Returns the text that was parsed.</summary>
    public override string ToString() => _text;

    private static ServicePrincipalName? Read(string text, out string? reason)
    {
        reason = NameCharacters.FindViolation(text, "it");
        if (reason is null && text.AsSpan().IndexOfAny(" \\\"<>") >= 0)
            reason = "it has a space, quote, backslash or angle bracket";
        if (reason is not null)
            return null;

        var at = text.IndexOf('@', StringComparison.Ordinal);
        var realm = at < 0 ? null : text[(at + 1)..];
        if (realm is not null && !RealmName.IsValid(realm))
        {
            reason = "the part after the @ is not a realm";
            return null;
        }
        var components = (at < 0 ? text : text[..at]).Split('/');
        if (components.Length is < 2 or > 3 || components.Any(component => component.Length == 0))
        {
            reason = "it does not have two or three components separated by slashes";
            return null;
        }
        if (!TrySplitHost(components[0], components[1], out var host, out var port, out var instance))
        {
            reason = "the second component is not a host with an optional port";
            return null;
        }
        return new ServicePrincipalName(text)
        {
            ServiceClass = components[0],
            Host = host,
            Port = port,
            InstanceName = instance,
            ServiceName = components.Length == 3 ? components[2] : null,
            Realm = realm,
        };
    }

    private static bool TrySplitHost(string serviceClass, string component, out string host, out int? port, out string? instance)
    {
        (host, port, instance) = (component, null, null);
        if (component[0] == '[')
        {
            var end = component.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || !IsIPv6Address(component[1..end]))
                return false;
            host = component[1..end];
            return end == component.Length - 1
                || (component[end + 1] == ':' && TryReadEnd(serviceClass, component[(end + 2)..], out port, out instance));
        }
        var colon = component.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || IsIPv6Address(component))
            return component.AsSpan().IndexOfAny("[]") < 0;
        host = component[..colon];
        return host.Length > 0 && TryReadEnd(serviceClass, component[(colon + 1)..], out port, out instance);
    }

    /// <summary>Reads the port or the instance after the host.</summary>
    private static bool TryReadEnd(string serviceClass, string text, out int? port, out string? instance)
    {
        instance = null;
        if (TryReadPort(text, out port))
            return true;
        if (!HasInstances(serviceClass) || text.AsSpan().IndexOfAny("[]:") >= 0 || text.All(char.IsAsciiDigit))
            return false;
        instance = text;
        return true;
    }

    private static bool HasInstances(string serviceClass) =>
        serviceClass.StartsWith("MSSQLSvc", StringComparison.OrdinalIgnoreCase)
        || serviceClass.StartsWith("MSOLAPSvc", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns whether the text is an IPv6 address. A zone has a meaning on one machine only and is not accepted.</summary>
    private static bool IsIPv6Address(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
        && text.AsSpan().IndexOfAny("%[]") < 0;

    private static bool TryReadPort(string text, out int? port)
    {
        var isPort = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 65535;
        port = isPort ? number : null;
        return isPort;
    }
}
