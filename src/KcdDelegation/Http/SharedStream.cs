namespace KcdDelegation.Http;

/// <summary>A connection that users share. It ends after a response that has no body by its method or status: HEAD, 204 and 304
/// (RFC 9112 §6.3).</summary>
/// <remarks>Some backends send a body with such a response. If it arrived late, it would be taken for the response to the next request,
/// which may be another user's. .NET reads from an idle connection before it sends the next request; this class then reports the end of the
/// stream, so that .NET uses another connection. If a request already waits for a connection, .NET does not read before it hands this one
/// over. It closes a connection with bytes behind the response, so one is added.</remarks>
internal sealed class SharedStream(Stream inner, ConnectionMetrics metrics) : ConnectionStream(inner, metrics)
{
    private readonly ResponseHeadReader _responses = new();
    private volatile bool _isSpent;

    public override int Read(Span<byte> buffer)
    {
        if (_isSpent)
            return 0;
        var count = base.Read(buffer);
        return Observe(buffer, count);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _isSpent ? ValueTask.FromResult(0) : ReadAndObserveAsync(buffer, cancellationToken);

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _responses.RequestWritten(buffer);
        base.Write(buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _responses.RequestWritten(buffer.Span);
        return base.WriteAsync(buffer, cancellationToken);
    }

    private async ValueTask<int> ReadAndObserveAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return Observe(buffer.Span, count);
    }

    /// <summary>Reads the heads of the responses, and returns the number of bytes in the buffer.</summary>
    private int Observe(Span<byte> buffer, int count)
    {
        if (!_responses.ResponseRead(buffer[..count]))
            return count;
        _isSpent = true;
        if (count < buffer.Length)
            buffer[count++] = 0;
        return count;
    }
}
