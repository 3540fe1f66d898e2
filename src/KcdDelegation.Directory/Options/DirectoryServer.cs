using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace KcdDelegation.DirectoryServices;

/// <summary>A directory server. Its ticket is issued for the name, so an address alone is not enough. Immutable.</summary>
/// <param name="Name">The full DNS name, such as <c>dc1.contoso.com</c>.</param>
/// <param name="Port">The TCP port; null for 389, or 636 with TLS.</param>
/// <param name="Address">The address to connect to; null for the one that the name resolves to.</param>
public sealed record DirectoryServer(string Name, int? Port = null, IPAddress? Address = null)
{
    /// <summary>Parses <c>NAME</c>, <c>NAME:PORT</c>, <c>NAME=ADDRESS</c> or <c>NAME:PORT=ADDRESS</c>.</summary>
    /// <returns>Whether the text has one of these forms.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out DirectoryServer? server)
    {
        server = null;
        if (text is null)
            return false;
        IPAddress? address = null;
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals >= 0 && !IPAddress.TryParse(text.AsSpan(equals + 1), out address))
            return false;
        var name = equals >= 0 ? text[..equals] : text;
        int? port = null;
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            if (!ushort.TryParse(name.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
                return false;
            (name, port) = (name[..colon], number);
        }
        if (!IsHostName(name) || !name.Contains('.', StringComparison.Ordinal))
            return false;
        server = new DirectoryServer(name, port, address);
        return true;
    }

    /// <summary>Returns whether a text is a DNS name in ASCII. Other characters may be invisible, and names of servers are registered in
    /// their encoded form.</summary>
    internal static bool IsHostName(string text) => Ascii.IsValid(text) && Uri.CheckHostName(text) == UriHostNameType.Dns;

    /// <summary>Returns the name, with the port if one is set.</summary>
    public override string ToString() => Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{Name}:{port}") : Name;
}
