namespace KcdDelegation.Http;

/// <summary>Leases separate connections to each user, to a limited number of users at a time. Thread-safe.</summary>
/// <remarks>A new user replaces the user who has been idle longest. While no user is idle, a new user waits.</remarks>
internal sealed class UserConnectionPool(Func<SocketsHttpHandler> createHandler, int capacity, TimeProvider time, Action sharingEnded)
    : IDisposable
{
    /// <summary>The time after which an idle entry is dropped. A SocketsHttpHandler closes its idle connections itself after a
    /// minute.</summary>
    private static readonly TimeSpan s_idleLife = TimeSpan.FromMinutes(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<ConnectionKey, UserConnection> _current = [];
    private readonly LinkedList<UserConnection> _idle = [];
    private readonly LinkedList<Waiter> _waiters = [];
    private int _count;
    private bool _disposed;
    private volatile bool _sharingHasEnded;
    private volatile bool _backendHasAnswered;

    /// <summary>Whether sharing has ended for the lifetime of the handler, whatever the settings say, because the backend tied a connection
    /// to its user.</summary>
    public bool SharingHasEnded => _sharingHasEnded;

    /// <summary>Whether a request of any user has been answered, so that the backend accepts HTTP/1.1.</summary>
    public bool BackendHasAnswered
    {
        get => _backendHasAnswered;
        set
        {
            // The field is read by all requests, so it is written once.
            if (_backendHasAnswered != value)
                _backendHasAnswered = value;
        }
    }

    /// <summary>Leases the user's connections.</summary>
    /// <exception cref="OperationCanceledException">The caller cancelled while all connections were in use by other users.</exception>
    public async ValueTask<ConnectionLease> LeaseAsync(ConnectionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var closed = new List<UserConnection>();
        ConnectionLease? lease;
        Waiter? waiter = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            while (_idle.First?.Value is { } oldest && time.GetElapsedTime(oldest.IdleSince) > s_idleLife)
                Drop(oldest, closed);
            lease = LeaseIfAvailable(key, closed);
            if (lease is null)
                _waiters.AddLast(waiter = new Waiter(key));
        }
        Close(closed);
        return lease ?? await WaitAsync(waiter!, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Withdraws connections from further requests. They are closed when the last response has been read; the user's next request
    /// gets new ones.</summary>
    public void Retire(UserConnection connection)
    {
        lock (_lock)
        {
            connection.IsRetired = true;
            if (_current.GetValueOrDefault(connection.Key) == connection)
                _current.Remove(connection.Key);
        }
    }

    /// <summary>Ends a lease, and serves waiting requests if the connections are idle now.</summary>
    public void Release(UserConnection connection)
    {
        var closed = new List<UserConnection>();
        lock (_lock)
        {
            if (--connection.Leases > 0)
                return;
            connection.IdleSince = time.GetTimestamp();
            _idle.AddLast(connection.IdleNode);
            if (connection.IsRetired || _disposed)
                Drop(connection, closed);
            ServeWaiters(closed);
        }
        Close(closed);
    }

    /// <summary>Closes idle connections and rejects waiting requests. Responses that are being read can be read to their end.</summary>
    public void Dispose()
    {
        var closed = new List<UserConnection>();
        lock (_lock)
        {
            _disposed = true;
            foreach (var connection in _idle.ToList())
                Drop(connection, closed);
            foreach (var waiter in _waiters)
                waiter.Lease.SetException(new ObjectDisposedException("KcdHandler"));
            _waiters.Clear();
        }
        Close(closed);
    }

    private void EndSharing(UserConnection tied)
    {
        Retire(tied);
        bool isFirst;
        lock (_lock)
            (isFirst, _sharingHasEnded) = (!_sharingHasEnded, true);
        if (isFirst)
            sharingEnded();
    }

    private async Task<ConnectionLease> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister((_, token) => Cancel(waiter, token), state: null);
        return await waiter.Lease.Task.ConfigureAwait(false);
    }

    /// <summary>Cancels a waiting request unless it has a lease already. Removal from the list decides between the two.</summary>
    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (!_waiters.Remove(waiter))
                return;
        }
        waiter.Lease.TrySetCanceled(cancellationToken);
    }

    /// <summary>Creates a lease, or returns null if all connections are in use.</summary>
    private ConnectionLease? LeaseIfAvailable(ConnectionKey key, List<UserConnection> closed)
    {
        if (!_current.TryGetValue(key, out var connection))
        {
            if (_count >= capacity && _idle.Count == 0)
                return null;
            connection = new UserConnection(createHandler(), key, EndSharing);
            if (_count >= capacity)
                Drop(_idle.First!.Value, closed);
            _current.Add(key, connection);
            _count++;
        }
        else if (connection.Leases == 0)
            _idle.Remove(connection.IdleNode);
        connection.Leases++;
        return new ConnectionLease(this, connection);
    }

    /// <summary>Serves the waiting requests. All are checked, because a user's first lease also serves that user's other
    /// requests.</summary>
    private void ServeWaiters(List<UserConnection> closed)
    {
        for (var node = _waiters.First; node is not null;)
        {
            var (waiter, next) = (node.Value, node.Next);
            try
            {
                if (LeaseIfAvailable(waiter.Key, closed) is { } lease)
                {
                    _waiters.Remove(node);
                    waiter.Lease.SetResult(lease);
                }
            }
            catch (Exception error)
            {
                // The creation of a handler failed. That fails the waiting request, not the request that has just ended.
                _waiters.Remove(node);
                waiter.Lease.SetException(error);
            }
            node = next;
        }
    }

    private void Drop(UserConnection idle, List<UserConnection> closed)
    {
        _idle.Remove(idle.IdleNode);
        if (_current.GetValueOrDefault(idle.Key) == idle)
            _current.Remove(idle.Key);
        _count--;
        closed.Add(idle);
    }

    /// <summary>Closes connections. The caller does not hold the lock, because closing sockets takes time.</summary>
    private static void Close(List<UserConnection> connections) => connections.ForEach(static connection => connection.Dispose());

    private sealed class Waiter(ConnectionKey key)
    {
        public ConnectionKey Key { get; } = key;

        public TaskCompletionSource<ConnectionLease> Lease { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The right to use a user's connections, from before a request is sent until its response has been read or dropped.</summary>
internal sealed class ConnectionLease(UserConnectionPool owner, UserConnection connection) : IDisposable
{
    private int _ended;

    /// <summary>Ends the lease of a response that was neither read nor disposed.</summary>
    ~ConnectionLease()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static lease => lease.End(), this, preferLocal: false);
    }

    public UserConnection Connection { get; } = connection;

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            End();
    }

    private void End() => owner.Release(Connection);
}
