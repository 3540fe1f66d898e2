using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Returns the addresses of a host, the preferred one first. Throws a <see cref="SocketException"/> if the host has
/// none.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>The operating system's host resolver.</summary>
internal static class SystemHostResolver
{
    private const int MaxAddresses = 8;

    /// <summary>Resolves a host by the operating system (hosts file, DNS). An IP address is returned as it is.</summary>
    public static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
            return [address];
        IPAddress[] addresses;
        try
        {
            // Some platforms cannot cancel a look-up. WaitAsync then ends only the wait.
            addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // The name is empty or longer than RFC 1035 §2.3.4 allows, so no host has it.
            addresses = [];
        }
        return addresses.Length == 0
            ? throw new SocketException((int)SocketError.HostNotFound)
            : addresses[..Math.Min(addresses.Length, MaxAddresses)];
    }
}
