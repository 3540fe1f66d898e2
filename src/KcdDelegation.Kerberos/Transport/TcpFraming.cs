using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The TCP framing of RFC 4120 §7.2.2: the length in four bytes, network order, precedes each message.</summary>
internal static class TcpFraming
{
    /// <summary>The maximum length of a reply. A ticket with the largest PAC that Windows creates has about 64 KB.</summary>
    public const int MaxReplyLength = 1 << 20;

    private const int HeaderLength = sizeof(uint);

    /// <summary>The size of the first read, enough for most replies.</summary>
    private const int FirstRead = 8 << 10;

    /// <summary>Sends one message.</summary>
    public static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        // Length and message share one buffer, and so one segment if they fit. Some KDCs and middleboxes read only the first segment.
        var framed = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed, message.Length);
        message.CopyTo(framed.AsMemory(4));
        var sent = 0;
        while (sent < framed.Length)
            sent += await socket.SendAsync(framed.AsMemory(sent), SocketFlags.None, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Receives one message.</summary>
    /// <exception cref="KerberosException">The connection was closed too early, or the length is invalid.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReceiveAsync(Socket socket, CancellationToken cancellationToken)
    {
        // Most replies arrive complete in the first read.
        using var first = MemoryPool<byte>.Shared.Rent(FirstRead);
        var count = await FillAsync(socket, first.Memory, atLeast: HeaderLength, cancellationToken).ConfigureAwait(false);
        if (count == 0)
            throw KdcFailure.Closed("closed the connection without an answer");
        if (count < HeaderLength)
            throw Truncated();
        var length = BinaryPrimitives.ReadUInt32BigEndian(first.Memory.Span);
        // "The high bit of the length is reserved for future expansion and MUST currently be set to zero."
        if ((length & 0x8000_0000) != 0)
            throw KerberosException.Rejected("the reserved bit of its length is set");
        if (length is 0 or > MaxReplyLength)
            throw KerberosException.Rejected($"its length is {length} bytes, and 1 to {MaxReplyLength} are allowed");
        var reply = new byte[length];
        var received = first.Memory[HeaderLength..count];
        // A connection serves one request. Bytes after the reply are ignored.
        received = received[..Math.Min(received.Length, reply.Length)];
        received.CopyTo(reply);
        var rest = reply.AsMemory(received.Length);
        return await FillAsync(socket, rest, atLeast: rest.Length, cancellationToken).ConfigureAwait(false) == rest.Length
            ? reply
            : throw Truncated();
    }

    private static KerberosException Truncated() => KdcFailure.Closed("closed the connection before its answer was complete");

    /// <summary>Reads at least the given number of bytes, or fewer if the connection is closed.</summary>
    /// <returns>The number of bytes read.</returns>
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
