using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.DirectoryServices.Sasl;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Connections;

/// <summary>The messages of one connection, over an optional security layer (RFC 4422 §3.7). Not thread-safe.</summary>
/// <remarks>What a server sends is bounded before memory is allocated for it: buffers grow only with bytes that have arrived.</remarks>
internal sealed class LdapStream(Stream stream, string server, int maxMessageLength, TimeSpan answerTimeout) : IAsyncDisposable
{
    private const int InitialLength = 8 << 10;

    /// <summary>A sealed frame holds at most one message and a part of the next one.</summary>
    private const int FrameOverhead = 1 << 10;

    private byte[] _received = Allocate(InitialLength);
    private byte[] _frame = [];
    private int _start;
    private int _end;
    private SealedLayer? _layer;

    /// <summary>Returns the length of the largest sealed frame that is accepted.</summary>
    public static int GetMaxFrameLength(int maxMessageLength) => maxMessageLength + FrameOverhead;

    /// <summary>Starts to seal the messages in both directions.</summary>
    /// <exception cref="DirectoryException">The server has sent data already, which would be read as if it were sealed.</exception>
    public void UseLayer(SealedLayer layer)
    {
        if (_end > _start)
            throw DirectoryException.Rejected(server, "the server sent unprotected data after the bind");
        _layer = layer;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        if (_layer is not { } layer)
        {
            await stream.WriteAsync(message, cancellationToken).ConfigureAwait(false);
            return;
        }
        while (!message.IsEmpty)
        {
            var part = message[..Math.Min(message.Length, layer.MaxSend)];
            var token = layer.Context.Wrap(part.Span, seal: true);
            var frame = new byte[sizeof(int) + token.Length];
            BinaryPrimitives.WriteInt32BigEndian(frame, token.Length);
            token.CopyTo(frame, sizeof(int));
            await stream.WriteAsync(frame, cancellationToken).ConfigureAwait(false);
            message = message[part.Length..];
        }
    }

    /// <summary>Returns the next message, in memory of its own.</summary>
    /// <param name="isSecret">Whether the memory is pinned, so that it can be zeroed completely.</param>
    /// <param name="cancellationToken">Ends the wait. The connection cannot be used afterwards.</param>
    /// <exception cref="DirectoryException">The message is too long, is not protected as agreed, or the connection ended.</exception>
    public async ValueTask<byte[]> ReceiveAsync(bool isSecret, CancellationToken cancellationToken)
    {
        int length;
        while ((length = GetMessageLength()) < 0 || _end - _start < length)
            await FillAsync(cancellationToken).ConfigureAwait(false);
        var message = isSecret ? Allocate(length) : GC.AllocateUninitializedArray<byte>(length);
        _received.AsSpan(_start, length).CopyTo(message);
        CryptographicOperations.ZeroMemory(_received.AsSpan(_start, length));
        _start += length;
        return message;
    }

    public async ValueTask DisposeAsync()
    {
        CryptographicOperations.ZeroMemory(_received);
        _layer?.Context.Dispose();
        await stream.DisposeAsync().ConfigureAwait(false);
    }

    private static byte[] Allocate(int length) => GC.AllocateUninitializedArray<byte>(length, pinned: true);

    /// <summary>Returns the length of the next message with its header, or -1 if the header is not complete.</summary>
    private int GetMessageLength()
    {
        var head = _received.AsSpan(_start, _end - _start);
        if (head.Length < 2)
            return -1;
        // RFC 4511 §5.1: LDAPMessage is a SEQUENCE with a definite length.
        if (head[0] != 0x30 || head[1] == 0x80)
            throw DirectoryException.Rejected(server, "the server sent something that is no message of LDAP");
        if (head[1] < 0x80)
            return CheckLength(head[1] + 2L);
        var count = head[1] & 0x7F;
        if (count > 8)
            throw DirectoryException.Rejected(server, "the length of a message has too many bytes");
        if (head.Length < 2 + count)
            return -1;
        var length = 0UL;
        foreach (var octet in head.Slice(2, count))
            length = (length << 8) | octet;
        return CheckLength(length > int.MaxValue ? long.MaxValue : (long)length + 2 + count);
    }

    private int CheckLength(long length) => length <= maxMessageLength
        ? (int)length
        : throw DirectoryException.Large(server, $"the server sent a message that is longer than {maxMessageLength} bytes");

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (_layer is { } layer)
        {
            var token = await ReadFrameAsync(cancellationToken).ConfigureAwait(false);
            byte[] message;
            try
            {
                message = layer.Context.Unwrap(token.Span, mustBeSealed: true);
            }
            catch (KerberosException error)
            {
                throw DirectoryException.Rejected(server, $"a sealed message of the server is not valid: {error.Message}", error);
            }
            MakeRoom(message.Length);
            message.CopyTo(_received, _end);
            _end += message.Length;
            CryptographicOperations.ZeroMemory(message);
            return;
        }
        MakeRoom(1);
        _end += await ReadAsync(_received.AsMemory(_end), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadFrameAsync(CancellationToken cancellationToken)
    {
        var head = new byte[sizeof(int)];
        for (var known = 0; known < head.Length;)
            known += await ReadAsync(head.AsMemory(known), cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadUInt32BigEndian(head);
        if (length == 0 || length > GetMaxFrameLength(maxMessageLength))
            throw DirectoryException.Rejected(server, $"a sealed message of the server has {length} bytes");
        var read = 0;
        while (read < length)
        {
            if (_frame.Length == read)
                Array.Resize(ref _frame, (int)Math.Min(length, Math.Max(InitialLength, _frame.Length * 2L)));
            var target = _frame.AsMemory(read, (int)Math.Min(_frame.Length, length) - read);
            read += await ReadAsync(target, cancellationToken).ConfigureAwait(false);
        }
        return _frame.AsMemory(0, read);
    }

    /// <summary>Reads what arrives next, at least one byte. Gives a silent server up, so that the next one can be asked.</summary>
    private async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(answerTimeout);
        try
        {
            var count = await stream.ReadAsync(target, limit.Token).ConfigureAwait(false);
            return count > 0 ? count : throw DirectoryException.Unreachable(server, "the server closed the connection");
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw DirectoryException.Unreachable(
                server, $"the server was silent for {answerTimeout.TotalSeconds:0.#} seconds (AnswerTimeout)", error);
        }
    }

    /// <summary>Makes room for bytes after those that were received, and zeroes what is moved.</summary>
    private void MakeRoom(int count)
    {
        var held = _end - _start;
        if (_received.Length - _end >= count)
            return;
        var target = _received;
        if (_received.Length - held < count)
        {
            if ((long)held + count > maxMessageLength + (long)FrameOverhead + InitialLength + maxMessageLength)
                throw DirectoryException.Large(server, "the server sent more data than a message may have");
            target = Allocate((int)Math.Max(held + (long)count, Math.Min(_received.Length * 2L, maxMessageLength + (long)FrameOverhead)));
        }
        _received.AsSpan(_start, held).CopyTo(target);
        if (ReferenceEquals(target, _received))
            CryptographicOperations.ZeroMemory(_received.AsSpan(held));
        else
            CryptographicOperations.ZeroMemory(_received);
        (_received, _start, _end) = (target, 0, held);
    }
}
