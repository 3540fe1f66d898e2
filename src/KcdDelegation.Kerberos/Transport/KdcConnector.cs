using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Connects to a KDC by any of its addresses. A connection serves one request: MIT's KDC closes it after the reply, and a kept
/// one that a firewall has forgotten costs more than a new one.</summary>
internal sealed class KdcConnector(HostResolver resolve, KdcTiming timing, TimeProvider time)
{
    /// <exception cref="SocketException">No address could be connected to.</exception>
    public async Task<Socket> ConnectAsync(KdcEndpoint kdc, SocketType type, CancellationToken cancellationToken)
    {
        var addresses = await resolve(kdc.Host, cancellationToken).ConfigureAwait(false);
        var (socket, _) = await StaggeredRace.RunAsync(
            addresses,
            timing.NextAddressDelay,
            time,
            (address, token) => ConnectAsync(new IPEndPoint(address, kdc.Port), type, token),
            static failure => failure is SocketException,
            cancellationToken).ConfigureAwait(false);
        return socket;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint address, SocketType type, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
        try
        {
            if (type == SocketType.Stream)
                socket.NoDelay = true;
            // A connected datagram socket takes datagrams from this address and port only.
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
