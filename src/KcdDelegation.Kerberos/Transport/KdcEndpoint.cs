using System.Globalization;
using System.Net;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos;

/// <summary>The transport protocol used for a KDC.</summary>
public enum KdcTransport
{
    /// <summary>TCP only. This is the default, since tickets with a PAC seldom fit in a datagram.</summary>
    Tcp,

    /// <summary>UDP. TCP is used for requests over 1,400 bytes, after KRB_ERR_RESPONSE_TOO_BIG (RFC 4120 §7.2.1) and if UDP gets no
    /// answer.</summary>
    Udp,
}

/// <summary>The address of a KDC: HOST, HOST:PORT or [IPv6]:PORT, optionally preceded by <c>udp/</c> or <c>tcp/</c>.</summary>
/// <remarks>A host name is resolved for each connection. If that fails, the addresses that it had last are used.</remarks>
/// <param name="Host">A host name or an IP address. An IPv6 address has no brackets.</param>
/// <param name="Port">The port, 1 to 65535.</param>
/// <param name="Transport">The transport protocol.</param>
public readonly record struct KdcEndpoint(string Host, int Port = 88, KdcTransport Transport = KdcTransport.Tcp) : IParsable<KdcEndpoint>
{
    /// <summary>Parses an endpoint.</summary>
    /// <exception cref="FormatException">Not of the form HOST, HOST:PORT or [IPv6]:PORT.</exception>
    public static KdcEndpoint Parse(string s, IFormatProvider? provider = null)
    {
        ArgumentNullException.ThrowIfNull(s);
        return TryParse(s, provider, out var result)
            ? result
            : throw new FormatException(
                "The value is not a KDC endpoint. Valid forms are dc1.contoso.com, dc1.contoso.com:88, [2001:db8::1]:88 and " +
                "udp/dc1.contoso.com.");
    }

    /// <inheritdoc cref="Parse"/>
    public static bool TryParse(string? s, IFormatProvider? provider, out KdcEndpoint result) => TryParse(s, 88, out result);

    /// <summary>Parses the endpoint of a server whose default port is not a KDC's, such as a password server's 464.</summary>
    public static bool TryParse(string? s, int defaultPort, out KdcEndpoint result)
    {
        result = default;
        if (s is null)
            return false;
        var transport = KdcTransport.Tcp;
        if (s.StartsWith("udp/", StringComparison.OrdinalIgnoreCase))
            (transport, s) = (KdcTransport.Udp, s[4..]);
        else if (s.StartsWith("tcp/", StringComparison.OrdinalIgnoreCase))
            s = s[4..];

        var (host, port) = (s, defaultPort);
        if (s.StartsWith('['))
        {
            var end = s.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || !IPAddress.TryParse(s.AsSpan(1, end - 1), out _)
                || (end + 1 < s.Length && !TryPort(s.AsSpan(end + 1), out port)))
                return false;
            host = s[1..end];
        }
        else if (!IPAddress.TryParse(s, out _))
        {
            var colon = s.IndexOf(':', StringComparison.Ordinal);
            if (colon >= 0 && !TryPort(s.AsSpan(colon), out port))
                return false;
            host = colon < 0 ? s : s[..colon];
            if (Uri.CheckHostName(host) is not (UriHostNameType.Dns or UriHostNameType.IPv4))
                return false;
        }
        // CheckHostName accepts invisible characters, and IPAddress accepts any interface name after a percent sign.
        if (NameCharacters.FindViolation(host) is not null)
            return false;
        result = new KdcEndpoint(host, port, transport);
        return true;
    }

    private static bool TryPort(ReadOnlySpan<char> text, out int port)
    {
        port = 0;
        return text.Length > 1 && text[0] == ':'
            && int.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is >= 1 and <= 65535;
    }

    /// <summary>Returns the form that <see cref="Parse"/> reads.</summary>
    public override string ToString()
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
        return string.Create(CultureInfo.InvariantCulture, $"{(Transport == KdcTransport.Udp ? "udp/" : "")}{host}:{Port}");
    }
}
