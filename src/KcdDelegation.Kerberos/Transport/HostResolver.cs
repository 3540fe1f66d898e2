using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The addresses of a host, best first. A host without any is a <see cref="SocketException"/>.</summary>
internal delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

internal static class SystemHostResolver
{
    private const int MaxAddresses = 8;

    /// <summary>Asks the system (hosts file, DNS); an address stands for itself.</summary>
    public static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var address))
            return [address];
        IPAddress[] addresses;
        try
        {
            // Not every platform's resolver can be interrupted: then only the waiting ends.
            addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // Longer than a name can be (RFC 1035 §2.3.4), or no name at all: no host has it.
            addresses = [];
        }
        return addresses.Length == 0 ? throw new SocketException((int)SocketError.HostNotFound) : addresses[..Math.Min(addresses.Length, MaxAddresses)];
    }
}
