namespace KcdDelegation.Http;

/// <summary>A user of a <see cref="UserConnectionPool"/>: the connections for the next request, the number of leases, and the requests that
/// wait for one. Thread-safe.</summary>
/// <remarks>
/// <para>The leases of connections that accept no further request count too. However often the backend's certificate changes, a user takes
/// one slot of the pool and the configured number of connections.</para>
/// <para>A lease takes no lock. Only requests that wait do.</para>
/// </remarks>
internal sealed class PooledUser(UserConnectionPool pool, ConnectionKey key)
{
    /// <summary>The value of <see cref="_leases"/> while the user has no slot of the pool.</summary>
    private const int WithoutSlot = -1;

    /// <summary>The value of <see cref="_leases"/> after the slot was given up. It is final.</summary>
    private const int Closed = int.MinValue;

    private readonly Lock _lock = new();
    private readonly LinkedList<ConnectionRequest> _waiting = [];
    private UserConnection? _current;
    private int _leases = WithoutSlot;
    private int _waitingCount;
    private volatile int _limit = int.MaxValue;
    private long _lastUse;

    public ConnectionKey Key => key;

    /// <summary>Gets the time when the last lease ended, a timestamp of the TimeProvider.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    public bool IsIdle => Volatile.Read(ref _leases) == 0;

    public bool HasSlot => Volatile.Read(ref _leases) >= 0;

    /// <summary>Gets whether no request waits.</summary>
    public bool HasNoRequests => Volatile.Read(ref _waitingCount) == 0;

    /// <summary>Adds a lease, unless the user has no slot or too many leases.</summary>
    public bool TryEnter(int limit)
    {
        var leases = Volatile.Read(ref _leases);
        while (leases >= 0 && leases < limit)
        {
            var seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
                return true;
            leases = seen;
        }
        return false;
    }

    /// <summary>Returns the lease that was added before.</summary>
    public ConnectionLease Lease()
    {
        while (true)
        {
            var connection = Volatile.Read(ref _current) ?? Publish(new UserConnection(this, pool.Services, first: null));
            if (connection.TryAddLease())
                return new ConnectionLease(connection);
            Withdraw(connection);
        }
    }

    /// <summary>Ends a lease, and serves waiting requests.</summary>
    public void Leave()
    {
        Volatile.Write(ref _lastUse, pool.GetTimestamp());
        var left = Interlocked.Decrement(ref _leases);
        // The decrement and the increment of the other side are full barriers: either this line sees the waiting request, or the request
        // sees that there is a lease for it.
        if (Volatile.Read(ref _waitingCount) > 0)
            Serve();
        if (left == 0)
            pool.OnIdle(this);
    }

    /// <summary>Adds a waiting request, which is served at once if a lease has ended in the meantime.</summary>
    /// <returns>The request; null if too many wait.</returns>
    public ConnectionRequest? Enqueue(int limit, int maxWaiting)
    {
        var request = new ConnectionRequest(this);
        _limit = limit;
        lock (_lock)
        {
            if (_waiting.Count >= maxWaiting)
                return null;
            _waiting.AddLast(request.Node);
            Interlocked.Increment(ref _waitingCount);
            ServeLocked();
        }
        return request;
    }

    /// <summary>Removes a waiting request. Returns false if it has been served. Removal from the list decides between the two.</summary>
    public bool TryRemove(ConnectionRequest request)
    {
        lock (_lock)
        {
            if (request.Node.List is null)
                return false;
            Remove(request);
            return true;
        }
    }

    /// <summary>Serves as many waiting requests as there are leases.</summary>
    public void Serve()
    {
        lock (_lock)
            ServeLocked();
    }

    /// <summary>Lets all waiting requests try again, because the connections that they wait for are no longer used.</summary>
    public void Redirect()
    {
        lock (_lock)
        {
            while (_waiting.First is { } first)
            {
                Remove(first.Value);
                first.Value.Served.SetResult(false);
            }
        }
    }

    /// <summary>Gives the user a slot of the pool.</summary>
    public void Open(long now)
    {
        _lastUse = now;
        Volatile.Write(ref _leases, 0);
    }

    /// <summary>Closes the connections of an idle user. Returns false if the user is not idle.</summary>
    public bool TryClose()
    {
        if (Interlocked.CompareExchange(ref _leases, Closed, 0) != 0)
            return false;
        if (Volatile.Read(ref _waitingCount) > 0)
            Redirect();
        return true;
    }

    /// <summary>Lets the requests of a user without a slot fail or try again. The user never gets one.</summary>
    public void Abandon()
    {
        Volatile.Write(ref _leases, Closed);
        Redirect();
    }

    /// <summary>Disposes the connections of a closed user. It may take time, so no lock is held.</summary>
    public void DisposeConnections() => Interlocked.Exchange(ref _current, null)?.Retire();

    /// <summary>Withdraws connections from further requests. They are closed when the last response has been read; the user's next request
    /// gets new ones.</summary>
    public void Retire(UserConnection connection)
    {
        Withdraw(connection);
        connection.Retire();
    }

    /// <summary>Replaces the connections of a lease, because a new one presents another certificate.</summary>
    /// <remarks>The request of the lease opens the first new connection, so that it is bound to whatever certificate it presents. Further
    /// requests of the user wait for that. A request without a ticket cannot be the first one, so it gets connections that no other request
    /// uses.</remarks>
    public ConnectionLease Replace(ConnectionLease lease, HttpRequestMessage request, SentAuthorization? authorization)
    {
        Retire(lease.Connection);
        var replacement = new UserConnection(
            this, pool.Services, authorization is null ? null : new FirstRequest(request, authorization));
        replacement.TryAddLease();
        if (authorization is null || Interlocked.CompareExchange(ref _current, replacement, null) is not null)
            replacement.Retire();
        lease.Connection.EndLease();
        return new ConnectionLease(replacement);
    }

    /// <summary>Ends sharing: no further user uses these connections.</summary>
    public void EndSharing(UserConnection tied)
    {
        pool.Services.EndSharing();
        Retire(tied);
        Redirect();
    }

    private UserConnection Publish(UserConnection created) => Interlocked.CompareExchange(ref _current, created, null) ?? created;

    private void Withdraw(UserConnection connection) => Interlocked.CompareExchange(ref _current, null, connection);

    private void ServeLocked()
    {
        while (_waiting.First is { } first)
        {
            var hasLease = TryEnter(_limit);
            if (!hasLease && Volatile.Read(ref _leases) != Closed)
                return;
            Remove(first.Value);
            first.Value.Served.SetResult(hasLease);
        }
    }

    private void Remove(ConnectionRequest request)
    {
        _waiting.Remove(request.Node);
        Interlocked.Decrement(ref _waitingCount);
    }
}

/// <summary>A request that waits for a connection.</summary>
internal sealed class ConnectionRequest
{
    public ConnectionRequest(PooledUser user)
    {
        User = user;
        Node = new LinkedListNode<ConnectionRequest>(this);
    }

    public PooledUser User { get; }

    /// <summary>Gets the entry in the list of waiting requests, which is guarded by the lock of the user.</summary>
    public LinkedListNode<ConnectionRequest> Node { get; }

    /// <summary>Gets the source that completes with true when the request has a lease, and with false when it must try again.</summary>
    public TaskCompletionSource<bool> Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
