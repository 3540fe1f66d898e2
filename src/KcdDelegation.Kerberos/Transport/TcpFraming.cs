using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>RFC 4120 §7.2.2: over TCP a message follows its length, four bytes in network order.</summary>
internal static class TcpFraming
{
    /// <summary>The largest reply taken. A ticket with the largest PAC that Windows makes has some 64 KB.</summary>
    public const int MaxReplyLength = 1 << 20;

    private const int HeaderLength = sizeof(uint);

    /// <summary>A reply with a ticket of a few kilobytes.</summary>
    private const int FirstRead = 8 << 10;

    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        // One buffer, so that it is one segment where it fits: some middleboxes and KDCs read no further than the first.
        var framed = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, message.Length);
        message.CopyTo(framed.AsMemory(4));
        var sent = 0;
        while (sent < framed.Length)
            sent += await socket.SendAsync(framed.AsMemory(sent), SocketFlags.None, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="KerberosException">The connection was closed too early, or the length is none that a KDC sends.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        // Most replies come whole with the first read.
        using var first = MemoryPool<byte>.Shared.Rent(FirstRead);
        var count = await FillAsync(socket, first.Memory, atLeast: HeaderLength, cancellationToken).ConfigureAwait(false);
        if (count == 0)
            throw KdcFailure.Unreachable("closed the connection without an answer");
        if (count < HeaderLength)
            throw Cut();
        var length = BinaryPrimitives.ReadUInt32BigEndian(first.Memory.Span);
        // "The high bit of the length is reserved for future expansion and MUST currently be set to zero."
        if ((length & 0x8000_0000) != 0)
            throw KerberosException.Rejected("its length has the reserved bit set");
        if (length is 0 or > MaxReplyLength)
            throw KerberosException.Rejected($"it announces {length} bytes, and 1 to {MaxReplyLength} are taken");
        var reply = new byte[length];
        var come = first.Memory[HeaderLength..count];
        // A connection serves one request: whatever may follow the reply is nobody's.
        come = come[..Math.Min(come.Length, reply.Length)];
        come.CopyTo(reply);
        var rest = reply.AsMemory(come.Length);
        return await FillAsync(socket, rest, atLeast: rest.Length, cancellationToken).ConfigureAwait(false) == rest.Length ? reply : throw Cut();
    }

    private static KerberosException Cut() => KdcFailure.Unreachable("closed the connection in the middle of its answer");

    /// <summary>Gives what came: less than wanted where the connection was closed.</summary>
    private static async Task<int> FillAsync(Socket socket, Memory<byte> buffer, int atLeast, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < atLeast)
        {
            var count = await socket.ReceiveAsync(buffer[filled..], SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (count == 0)
                break;
            filled += count;
        }
        return filled;
    }
}
