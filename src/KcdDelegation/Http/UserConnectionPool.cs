namespace KcdDelegation.Http;

/// <summary>Gives each user connections of his own, and connections to no more than a number of users at a time. A new user takes the place
/// of the one who has been idle longest; while nobody is idle he waits. Thread-safe.</summary>
internal sealed class UserConnectionPool(Func<SocketsHttpHandler> createHandler, int capacity, TimeProvider time, Action sharingEnded) : IDisposable
{
    /// <summary>A SocketsHttpHandler closes its idle connections by itself after a minute; after that it is memory only.</summary>
    private static readonly TimeSpan s_idleLife = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<ConnectionKey, UserConnection> _current = [];
    private readonly LinkedList<UserConnection> _idle = [];
    private readonly LinkedList<Waiter> _waiters = [];
    private int _count;
    private bool _disposed;
    private volatile bool _sharingHasEnded;

    /// <summary>Users share no connections any more, whatever the settings say: the backend has tied one to its user. It stays so for as long as
    /// the handler lives.</summary>
    public bool SharingHasEnded => _sharingHasEnded;

    /// <summary>The user's connections, for as long as the lease lasts.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up while all were busy with other users.</exception>
    public async ValueTask<ConnectionLease> LeaseAsync(ConnectionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var closed = new List<UserConnection>();
        ConnectionLease? lease;
        Waiter? waiter = null;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            while (_idle.First?.Value is { } oldest && time.GetElapsedTime(oldest.IdleSince) > s_idleLife)
                Drop(oldest, closed);
            lease = TryTake(key, closed);
            if (lease is null)
                _waiters.AddLast(waiter = new Waiter(key));
        }
        Close(closed);
        return lease ?? await WaitAsync(waiter!, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next request of this user gets new connections; these are closed when the last response has been read.</summary>
    public void Retire(UserConnection connection)
    {
        lock (_gate)
        {
            connection.IsRetired = true;
            if (_current.GetValueOrDefault(connection.Key) == connection)
                _current.Remove(connection.Key);
        }
    }

    public void Release(UserConnection connection)
    {
        var closed = new List<UserConnection>();
        lock (_gate)
        {
            if (--connection.Leases > 0)
                return;
            connection.IdleSince = time.GetTimestamp();
            _idle.AddLast(connection.IdlePlace);
            if (connection.IsRetired || _disposed)
                Drop(connection, closed);
            ServeWaiters(closed);
        }
        Close(closed);
    }

    /// <summary>Responses that are being read go on to their end.</summary>
    public void Dispose()
    {
        var closed = new List<UserConnection>();
        lock (_gate)
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
        bool isNews;
        lock (_gate)
            (isNews, _sharingHasEnded) = (!_sharingHasEnded, true);
        if (isNews)
            sharingEnded();
    }

    private async Task<ConnectionLease> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister((_, token) => Cancel(waiter, token), state: null);
        return await waiter.Lease.Task.ConfigureAwait(false);
    }

    /// <summary>Whoever takes the waiter off the list decides: he gets a lease or is cancelled, never both.</summary>
    private void Cancel(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_waiters.Remove(waiter))
                return;
        }
        waiter.Lease.TrySetCanceled(cancellationToken);
    }

    /// <summary>Null: everybody is busy.</summary>
    private ConnectionLease? TryTake(ConnectionKey key, List<UserConnection> closed)
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
            _idle.Remove(connection.IdlePlace);
        connection.Leases++;
        return new ConnectionLease(this, connection);
    }

    /// <summary>Every one is asked: a user who gets connections gets them for all his waiting requests.</summary>
    private void ServeWaiters(List<UserConnection> closed)
    {
        for (var node = _waiters.First; node is not null;)
        {
            var (waiter, next) = (node.Value, node.Next);
            try
            {
                if (TryTake(waiter.Key, closed) is { } lease)
                {
                    _waiters.Remove(node);
                    waiter.Lease.SetResult(lease);
                }
            }
            catch (Exception error)
            {
                // Making a handler failed: that is the waiter's failure, not that of the request that has just ended.
                _waiters.Remove(node);
                waiter.Lease.SetException(error);
            }
            node = next;
        }
    }

    private void Drop(UserConnection idle, List<UserConnection> closed)
    {
        _idle.Remove(idle.IdlePlace);
        if (_current.GetValueOrDefault(idle.Key) == idle)
            _current.Remove(idle.Key);
        _count--;
        closed.Add(idle);
    }

    /// <summary>Outside the lock: closing sockets takes time.</summary>
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

    /// <summary>A response that was neither read nor disposed must not keep its place for ever.</summary>
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
