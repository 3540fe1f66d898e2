namespace KcdDelegation.Http;

/// <summary>The lease of a response whose body has not been read yet. It ends with the body, or when the response is garbage.
/// Thread-safe.</summary>
/// <remarks>
/// The body and its stream refer to it, so it is finalized only when neither can be read any more. A host need not dispose a response that
/// it has read to the end, and YARP does not. Only this object is then finalizable, and it no longer is at the end of the body: otherwise
/// each response would survive a garbage collection, with its header fields and its connection's buffers.
/// </remarks>
internal sealed class ResponseLease(ConnectionLease lease) : IDisposable
{
    private int _hasEnded;

    /// <summary>Ends the lease of a response that was neither read to its end nor disposed.</summary>
    ~ResponseLease()
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static lease => lease.End(), lease, preferLocal: false);
    }

    /// <summary>Ends the lease, once.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0)
            lease.End();
        GC.SuppressFinalize(this);
    }
}
