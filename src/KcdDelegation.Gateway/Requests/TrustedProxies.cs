using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Requests;

/// <summary>Reads the client's address and scheme from a proxy that the settings trust.</summary>
/// <remarks><c>X-Forwarded-Host</c> and <c>Forwarded</c> are never used: a proxy passes the client's <c>Host</c> on.</remarks>
internal sealed class TrustedProxies(ImmutableArray<IPNetwork> networks)
{
    /// <summary>The largest number of proxies between client and gateway.</summary>
    private const int MaxProxies = 16;

    /// <summary>Sets the address and scheme of the request if its connection is that of a trusted proxy.</summary>
    public void Apply(HttpContext context)
    {
        // A listener for both versions of IP has IPv4 clients under mapped addresses, which applications do not know.
        if (context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped)
            context.Connection.RemoteIpAddress = mapped.MapToIPv4();
        if (!IsTrusted(context.Connection.RemoteIpAddress))
            return;
        if (FindClient(context.Request.Headers["X-Forwarded-For"].ToString()) is { } client)
        {
            context.Connection.RemoteIpAddress = client;
            context.Connection.RemotePort = 0;
        }
        // The last value is the one of the nearest proxy.
        var scheme = context.Request.Headers["X-Forwarded-Proto"].ToString().Split(',')[^1].Trim();
        if (string.Equals(scheme, Uri.UriSchemeHttps, StringComparison.OrdinalIgnoreCase))
            context.Request.Scheme = Uri.UriSchemeHttps;
        else if (string.Equals(scheme, Uri.UriSchemeHttp, StringComparison.OrdinalIgnoreCase))
            context.Request.Scheme = Uri.UriSchemeHttp;
    }

    /// <summary>Returns the last address that is not one of a trusted proxy. Addresses before it are what the client says.</summary>
    private IPAddress? FindClient(string addresses)
    {
        IPAddress? client = null;
        var values = addresses.Split(',');
        for (var i = values.Length - 1; i >= Math.Max(0, values.Length - MaxProxies); i--)
        {
            if (!IPAddress.TryParse(RemovePort(values[i].Trim()), out var address))
                break;
            client = address;
            if (!IsTrusted(address))
                break;
        }
        return client;
    }

    /// <summary>Removes the port that some proxies add: <c>192.0.2.1:4711</c>, <c>[2001:db8::1]:4711</c>.</summary>
    private static string RemovePort(string address)
    {
        if (address.StartsWith('['))
            return address.IndexOf(']', StringComparison.Ordinal) is > 0 and var end ? address[1..end] : address;
        var colon = address.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon == address.LastIndexOf(':') ? address[..colon] : address;
    }

    private bool IsTrusted(IPAddress? address)
    {
        if (address is null)
            return false;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        foreach (var network in networks)
        {
            if (network.Contains(address))
                return true;
        }
        return false;
    }
}
