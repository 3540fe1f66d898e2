using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>A connection to a KDC and the permit for it (<see cref="KdcConnectionLimits"/>).</summary>
internal sealed class KdcConnection(Socket socket, IDisposable permit) : IDisposable
{
    public Socket Socket => socket;

    public void Dispose()
    {
        socket.Dispose();
        permit.Dispose();
    }
}
