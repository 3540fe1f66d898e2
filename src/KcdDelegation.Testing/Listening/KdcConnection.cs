using System.Buffers.Binary;
using System.Net.Sockets;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Listening;

/// <summary>RFC 4120 §7.2.2: requests and answers on one TCP connection, any number of them.</summary>
internal static class KdcConnection
{
    private const int MaxRequest = 1 << 20;

    public static async Task ServeAsync(
        Socket client, Func<ReadOnlyMemory<byte>, KdcTransport, KdcDelivery?> answer, CancellationToken cancellationToken)
    {
        await Task.Yield();
        using (client)
        {
            client.NoDelay = true;
            try
            {
                using var stream = new NetworkStream(client);
                while (await ReadMessageAsync(stream, cancellationToken).ConfigureAwait(false) is { } request)
                {
                    if (answer(request, KdcTransport.Tcp) is not { } delivery)
                        return;
                    if (!await SendAsync(stream, delivery, cancellationToken).ConfigureAwait(false))
                        return;
                }
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
            {
                // The client disconnected, or the realm is being disposed. There is no one to answer.
            }
        }
    }

    // RFC 4120 §7.2.2: four bytes of length, big-endian, then the message. Returns null at the end of the stream.
    private static async Task<byte[]?> ReadMessageAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var prefix = new byte[4];
        if (await stream.ReadAtLeastAsync(prefix, 4, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false) < 4)
            return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(prefix);
        if (length is < 0 or > MaxRequest)
            return null;
        var message = new byte[length];
        await stream.ReadExactlyAsync(message, cancellationToken).ConfigureAwait(false);
        return message;
    }

    /// <summary>Sends the answer. Returns false if the connection is to be closed.</summary>
    private static async Task<bool> SendAsync(NetworkStream stream, KdcDelivery delivery, CancellationToken cancellationToken)
    {
        await Task.Delay(delivery.Delay, cancellationToken).ConfigureAwait(false);
        if (delivery.Mode == DeliveryMode.Close)
            return false;
        if (delivery.Mode == DeliveryMode.Silent)
            return true;
        var bytes = new byte[4 + delivery.Answer.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, delivery.ClaimedLength ?? (uint)delivery.Answer.Length);
        delivery.Answer.CopyTo(bytes.AsMemory(4));
        var sent = bytes.AsMemory(0, Math.Min(bytes.Length, delivery.Cut));
        if (delivery.Mode == DeliveryMode.Drip)
        {
            for (var i = 0; i < sent.Length; i++)
            {
                await stream.WriteAsync(sent.Slice(i, 1), cancellationToken).ConfigureAwait(false);
                if (i % 64 == 0)
                    await Task.Delay(1, cancellationToken).ConfigureAwait(false);
            }
        }
        else
        {
            await stream.WriteAsync(sent, cancellationToken).ConfigureAwait(false);
        }
        return sent.Length == bytes.Length;
    }
}
