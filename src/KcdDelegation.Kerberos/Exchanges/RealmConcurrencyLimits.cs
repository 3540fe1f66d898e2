namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A separate concurrency limit for each realm, so that a realm whose KDCs are silent does not delay requests to other
/// realms. Thread-safe.</summary>
/// <remarks>The limit of the home realm always exists. The limit of another realm exists while an exchange holds a permit of it or waits
/// for one.</remarks>
internal sealed class RealmConcurrencyLimits : IDisposable
{
    // A trusted realm can refer to any number of other realms whose KDCs do not answer.
    private const int MaxRealms = 256;

    private readonly int _maxConcurrent;
    private readonly int _maxQueued;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RealmLimit> _realms = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="home">The account's realm.</param>
    /// <param name="maxConcurrent">The number of concurrent exchanges per realm.</param>
    /// <param name="maxQueued">The number of waiting exchanges per realm.</param>
    public RealmConcurrencyLimits(string home, int maxConcurrent, int maxQueued)
    {
        (_maxConcurrent, _maxQueued) = (maxConcurrent, maxQueued);
        // The home realm's limit is never released, so it exists even when MaxRealms is reached.
        AddUser(home);
    }

    /// <summary>Waits for a permit for one exchange with the realm. Disposing the permit releases it.</summary>
    /// <exception cref="KerberosException">The realm's queue is full, or exchanges with too many realms are in progress
    /// (<see cref="KerberosFailureReason.Overloaded"/>, transient).</exception>
    public async ValueTask<Permit> AcquireAsync(string realm, CancellationToken cancellationToken)
    {
        var entry = AddUser(realm);
        try
        {
            return new Permit(this, entry, await entry.Limit.AcquireAsync(cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            RemoveUser(entry);
            throw;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var realm in _realms.Values)
                realm.Limit.Dispose();
        }
    }

    /// <summary>Gets or creates the realm's entry, which exists until each of its users has been removed.</summary>
    private RealmLimit AddUser(string realm)
    {
        lock (_lock)
        {
            if (!_realms.TryGetValue(realm, out var entry))
            {
                if (_realms.Count >= MaxRealms)
                    throw TooManyRealms();
                _realms[realm] = entry = new RealmLimit(realm, new ConcurrencyLimit(_maxConcurrent, _maxQueued));
            }
            entry.Users++;
            return entry;
        }
    }

    private void RemoveUser(RealmLimit entry)
    {
        lock (_lock)
        {
            if (--entry.Users > 0)
                return;
            _realms.Remove(entry.Realm);
            entry.Limit.Dispose();
        }
    }

    private static KerberosException TooManyRealms() => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.Overloaded,
        IsTransient = true,
        Detail = $"exchanges with {MaxRealms} realms are in progress, which is the maximum",
    });

    /// <summary>A permit for one exchange with one realm.</summary>
    public readonly struct Permit : IDisposable
    {
        private readonly RealmConcurrencyLimits _limits;
        private readonly RealmLimit _entry;
        private readonly ConcurrencyLimit.Permit _permit;

        internal Permit(RealmConcurrencyLimits limits, RealmLimit entry, ConcurrencyLimit.Permit permit) =>
            (_limits, _entry, _permit) = (limits, entry, permit);

        public void Dispose()
        {
            _permit.Dispose();
            _limits.RemoveUser(_entry);
        }
    }

    internal sealed class RealmLimit(string realm, ConcurrencyLimit limit)
    {
        public string Realm => realm;

        public ConcurrencyLimit Limit => limit;

        /// <summary>The number of exchanges that hold a permit or wait for one. Guarded by the lock of all realms.</summary>
        public int Users { get; set; }
    }
}
