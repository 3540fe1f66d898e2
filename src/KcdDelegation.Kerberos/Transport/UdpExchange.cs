using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The datagrams of RFC 4120 §7.2.1: one request and its reply, without a length before them.</summary>
internal static class UdpExchange
{
    /// <summary>Receives one datagram. The request is sent again at intervals, since a datagram can get lost.</summary>
    /// <remarks>The bytes are the same each time, so the KDC recognizes the repetition (RFC 4120 §3.1.2).</remarks>
    public static async Task<int> ReceiveAsync(
        Socket socket, ReadOnlyMemory<byte> request, bool sendFirst, Memory<byte> buffer, TimeSpan resendInterval, TimeProvider time,
        CancellationToken cancellationToken)
    {
        if (sendFirst)
            await socket.SendAsync(request, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        var receiving = socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).AsTask();
        while (true)
        {
            await ((Task)receiving).WaitAsync(resendInterval, time, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (receiving.IsCompleted)
                return await receiving.ConfigureAwait(false);
            await socket.SendAsync(request, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        }
    }
}
