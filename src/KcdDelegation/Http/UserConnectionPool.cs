using System.Collections.Concurrent;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Http;

/// <summary>Leases separate connections to each user, to a limited number of users at a time. Thread-safe.</summary>
/// <remarks>
/// <para>A new user replaces the user who has been idle longest. While no user is idle, a new user waits for a limited time.</para>
/// <para>A request of a user who has connections takes no lock of the pool. The lock guards which users have a slot, so only new users,
/// evictions and waiting users take it.</para>
/// </remarks>
internal sealed class UserConnectionPool(ConnectionServices services, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan s_sweepPeriod = TimeSpan.FromMinutes(1);

    /// <summary>The number of users who may wait, and of requests of one user, if the limits that they wait for are lower.</summary>
    private const int MinWaiting = 1000;

    private readonly ConcurrentDictionary<ConnectionKey, PooledUser> _users = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<ConnectionKey, LinkedListNode<PooledUser>> _waitingByKey = [];
    private readonly LinkedList<PooledUser> _waiting = [];
    private readonly Queue<IdleUser> _oldest = [];
    private int _waitingUsers;
    private int _count;
    private int _maxUsers;
    private bool _nearLimitWasLogged;
    private ITimer? _sweep;
    private volatile bool _disposed;
    private volatile bool _retired;

    public ConnectionServices Services => services;

    public long GetTimestamp() => time.GetTimestamp();

    /// <summary>Leases the user's connections.</summary>
    /// <exception cref="KcdException">All connections were in use for too long.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled while all connections were in use.</exception>
    public ValueTask<ConnectionLease> LeaseAsync(
        ConnectionKey key, KerberosPrincipal user, ConnectionLimits limits, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, "KcdHandler");
        return _users.TryGetValue(Resolve(key, user), out var pooled) && pooled.TryEnter(GetLimit(pooled, limits))
            ? ValueTask.FromResult(pooled.Lease())
            : LeaseOrWaitAsync(key, user, limits, cancellationToken);
    }

    /// <summary>Handles the end of a user's last lease.</summary>
    public void OnIdle(PooledUser user)
    {
        if (Volatile.Read(ref _waitingUsers) == 0 && !_disposed && !_retired)
            return;
        var closed = new List<PooledUser>();
        lock (_lock)
        {
            if (_disposed || _retired)
                Close(user, closed);
            if (!_disposed)
                ServeWaiting(user, search: false, closed);
        }
        DisposeConnections(closed);
    }

    /// <summary>Closes the connections of each user as soon as the user is idle. Requests are still served.</summary>
    public void Retire()
    {
        var closed = new List<PooledUser>();
        lock (_lock)
        {
            // Set before the search: a user who becomes idle after it sees the value.
            _retired = true;
            foreach (var (_, user) in _users)
                Close(user, closed);
        }
        DisposeConnections(closed);
    }

    /// <summary>Closes idle connections and rejects waiting requests. Responses that are being read can be read to their end.</summary>
    public void Dispose()
    {
        var closed = new List<PooledUser>();
        PooledUser[] waiting;
        lock (_lock)
        {
            _disposed = true;
            foreach (var (_, user) in _users)
                Close(user, closed);
            waiting = [.. _waiting, .. _users.Values];
            _waiting.Clear();
            _waitingByKey.Clear();
            _waitingUsers = 0;
            _sweep?.Dispose();
        }
        foreach (var user in waiting)
        {
            if (user.HasSlot)
                user.Redirect();
            else
                user.Abandon();
        }
        DisposeConnections(closed);
    }

    /// <summary>Returns the key of the connections that the user may use now. After sharing has ended these are the user's own.</summary>
    private ConnectionKey Resolve(ConnectionKey key, KerberosPrincipal user) =>
        key.User is null && services.SharingHasEnded ? key with { User = user } : key;

    /// <summary>Returns the number of leases that the user may have at a time.</summary>
    /// <remarks>The factory's own limit counts as well: .NET would let further requests wait without a bound.</remarks>
    private int GetLimit(PooledUser user, ConnectionLimits limits) =>
        Math.Min(user.Key.User is null ? limits.MaxUsers : limits.MaxConnectionsPerUser, services.MaxConnectionsPerServer);

    private async ValueTask<ConnectionLease> LeaseOrWaitAsync(
        ConnectionKey key, KerberosPrincipal user, ConnectionLimits limits, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var pooled = GetOrAdmit(Resolve(key, user), limits.MaxUsers) ?? throw Refuse((PooledUser?)null, limits);
            var limit = GetLimit(pooled, limits);
            if (pooled.TryEnter(limit))
                return pooled.Lease();
            var request = pooled.Enqueue(limit, Math.Max(limit, MinWaiting)) ?? throw Refuse(pooled, limits);
            if (await WaitAsync(request, limits, start, cancellationToken).ConfigureAwait(false))
                return pooled.Lease();
        }
    }

    /// <summary>Waits until the request has a lease.</summary>
    /// <returns>False if it must try again.</returns>
    private async Task<bool> WaitAsync(
        ConnectionRequest request, ConnectionLimits limits, long start, CancellationToken cancellationToken)
    {
        if (request.Served.Task.IsCompleted)
            return await request.Served.Task.ConfigureAwait(false);
        services.Metrics.AddWaiting(1);
        try
        {
            var left = limits.MaxWait - time.GetElapsedTime(start);
            return await request.Served.Task.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is TimeoutException or OperationCanceledException)
        {
            if (Remove(request))
            {
                if (error is TimeoutException)
                    throw Refuse(request.User, limits);
                throw;
            }
            // The request was served while the wait ended.
            var hasLease = await request.Served.Task.ConfigureAwait(false);
            if (error is TimeoutException)
                return hasLease;
            if (hasLease)
                request.User.Leave();
            throw;
        }
        finally
        {
            services.Metrics.AddWaiting(-1);
        }
    }

    /// <summary>Returns the user, with a slot if one is free, otherwise at the end of the waiting users. Returns null if too many
    /// wait.</summary>
    private PooledUser? GetOrAdmit(ConnectionKey key, int maxUsers)
    {
        var closed = new List<PooledUser>();
        try
        {
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(_disposed, "KcdHandler");
                _maxUsers = maxUsers;
                if (_users.TryGetValue(key, out var pooled))
                    return pooled;
                if (_waitingByKey.TryGetValue(key, out var node))
                    return node.Value;
                if (_waitingUsers >= Math.Max(maxUsers, MinWaiting))
                    return null;
                pooled = new PooledUser(this, key);
                _waitingByKey.Add(pooled.Key, _waiting.AddLast(pooled));
                // Counted before the search for an idle user: a user who becomes idle after the search then serves the waiting ones. While
                // others wait no user is idle, so there is nothing to search.
                var isFirst = Interlocked.Increment(ref _waitingUsers) == 1;
                ServeWaiting(idle: null, search: isFirst, closed);
                return pooled;
            }
        }
        finally
        {
            DisposeConnections(closed);
        }
    }

    /// <summary>Removes a request that no longer waits, and its user with the last such request.</summary>
    /// <returns>False if the request has been served.</returns>
    private bool Remove(ConnectionRequest request)
    {
        lock (_lock)
        {
            if (!request.User.TryRemove(request))
                return false;
            if (request.User.HasNoRequests && _waitingByKey.Remove(request.User.Key, out var node))
            {
                _waiting.Remove(node);
                _waitingUsers--;
                request.User.Abandon();
            }
            return true;
        }
    }

    private void ServeWaiting(PooledUser? idle, bool search, List<PooledUser> closed)
    {
        while (_waiting.First is { } first && HasRoom(idle, search, closed))
        {
            _waiting.Remove(first);
            _waitingByKey.Remove(first.Value.Key);
            _waitingUsers--;
            Admit(first.Value);
            first.Value.Serve();
        }
    }

    private void Admit(PooledUser user)
    {
        user.Open(time.GetTimestamp());
        _users[user.Key] = user;
        _count++;
        services.Metrics.AddUsers(1);
        _sweep ??= CreateSweep();
        if (_nearLimitWasLogged || _count < 0.8 * _maxUsers)
            return;
        _nearLimitWasLogged = true;
        Log.UsersNearLimit(services.Logger, services.Application, _count, _users.Count(static entry => !entry.Value.IsIdle), _maxUsers);
    }

    /// <summary>Determines whether there is a free slot, and closes idle users to get one.</summary>
    private bool HasRoom(PooledUser? idle, bool search, List<PooledUser> closed)
    {
        while (_count >= _maxUsers)
        {
            if (!(idle is not null && Close(idle, closed)) && !(search && CloseOldest(closed)))
                return false;
            services.Metrics.AddEviction();
        }
        return true;
    }

    /// <summary>Closes the user who has been idle longest.</summary>
    /// <remarks>One search finds several users, in the order of their last use. A user who was used since then is skipped, so the first of
    /// the others is always the one to close.</remarks>
    private bool CloseOldest(List<PooledUser> closed)
    {
        for (var hasSearched = false; ; hasSearched = true)
        {
            while (_oldest.TryDequeue(out var next))
            {
                if (next.User.LastUse == next.LastUse && Close(next.User, closed))
                    return true;
            }
            if (hasSearched)
                return false;
            foreach (var found in FindIdle().OrderBy(static found => found.LastUse).Take(16 + (_count / 16)))
                _oldest.Enqueue(found);
        }
    }

    private IEnumerable<IdleUser> FindIdle()
    {
        foreach (var (_, user) in _users)
        {
            if (user.IsIdle)
                yield return new IdleUser(user, user.LastUse);
        }
    }

    private bool Close(PooledUser user, List<PooledUser> closed)
    {
        if (!user.TryClose())
            return false;
        _users.TryRemove(user.Key, out _);
        _count--;
        services.Metrics.AddUsers(-1);
        closed.Add(user);
        return true;
    }

    /// <summary>Creates the timer that drops idle users. It exists only while there are users, so it keeps an abandoned handler alive no
    /// longer than they are kept.</summary>
    private ITimer CreateSweep()
    {
        // The timer must not keep the context of the request that created it.
        using (ExecutionContext.SuppressFlow())
            return time.CreateTimer(static state => ((UserConnectionPool)state!).Sweep(), this, s_sweepPeriod, s_sweepPeriod);
    }

    private void Sweep()
    {
        var closed = new List<PooledUser>();
        lock (_lock)
        {
            foreach (var idle in FindIdle())
            {
                if (time.GetElapsedTime(idle.LastUse) > services.IdleLife)
                    Close(idle.User, closed);
            }
            _nearLimitWasLogged &= _count >= 0.7 * _maxUsers;
            if (_count == 0)
            {
                _sweep?.Dispose();
                _sweep = null;
            }
        }
        DisposeConnections(closed);
    }

    private KcdException Refuse(PooledUser? pooled, ConnectionLimits limits)
    {
        var application = PrintableText.From(services.Application);
        if (pooled is { HasSlot: true })
            return Refuse(
                KcdEventId.ConnectionLimitReached,
                $"The request to {application} waited {limits.MaxWait:c} for a connection, but its user has {GetLimit(pooled, limits)} "
                    + "connections in use.",
                "Send the request again later. Increase MaxConnectionsPerUser if users of this application need more streams.");
        return Refuse(
            KcdEventId.UserLimitReached,
            pooled is null
                ? $"Too many users already wait for a connection to {application}."
                : $"The request to {application} waited {limits.MaxWait:c} for a connection, but {limits.MaxUsers} other users have "
                    + "requests or open streams.",
            "Send the request again later. Increase MaxUsers if the host has memory and ports for more users, or add a host.");
    }

    private static KcdException Refuse(int eventId, string cause, string remedy) =>
        new DelegationFailure(KcdStage.Target, KcdErrorKind.Unavailable, eventId, $"{cause} Nothing was sent.", remedy)
        {
            IsTransient = true,
        }.ToException();

    /// <summary>Disposes connections. The caller does not hold the lock, because closing sockets takes time.</summary>
    private static void DisposeConnections(List<PooledUser> closed) => closed.ForEach(static user => user.DisposeConnections());

    private readonly record struct IdleUser(PooledUser User, long LastUse);
}
