using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace KcdDelegation.Gateway.Tests;

/// <summary>Ports for programs that cannot choose one themselves. Thread-safe.</summary>
/// <remarks>A port that the system chose is free only until the next connection of any test takes it as its own end. These are below the
/// ports that Linux uses for connections (32768 to 60999), and each is returned once.</remarks>
internal static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static int s_last = RandomNumberGenerator.GetInt32(Count);

    public static int Find()
    {
        while (true)
        {
            var port = First + (int)((uint)Interlocked.Increment(ref s_last) % Count);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another program listens there.
            }
        }
    }
}
