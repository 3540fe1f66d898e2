using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Connects to a KDC at one of its addresses.</summary>
/// <remarks>A connection serves one request. MIT's KDC closes it after the reply, and firewalls drop idle connections silently.</remarks>
internal sealed class KdcConnector(HostResolver resolve, KdcTiming timing, TimeProvider time)
{
    /// <summary>Returns a connected socket.</summary>
    /// <exception cref="SocketException">No address accepted the connection.</exception>
    public async Task<Socket> ConnectAsync(KdcEndpoint kdc, SocketType type, CancellationToken cancellationToken)
    {
        var addresses = await resolve(kdc.Host, cancellationToken).ConfigureAwait(false);
        var (socket, _) = await StaggeredRace.RunAsync(
            addresses,
            timing.NextAddressDelay,
            time,
            (address, token) => ConnectAsync(new IPEndPoint(address, kdc.Port), type, token),
            static failure => failure is SocketException,
            startsNextOnFailure: true, cancellationToken).ConfigureAwait(false);
        return socket;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address, SocketType type, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
        try
        {
            if (type == SocketType.Stream)
                socket.NoDelay = true;
            // A connected datagram socket receives datagrams from this address and port only.
            await socket.ConnectAsync(address, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
