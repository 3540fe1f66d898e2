namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>A gate for each realm that is asked: one whose KDCs are silent fills its own, and holds up nobody who asks another.
/// Thread-safe. The home realm's gate is always there, another's while somebody is in it or waits at it.</summary>
internal sealed class RealmConcurrencyLimits : IDisposable
{
    // A trusted realm can refer to any number of others, whose KDCs it can keep silent.
    private const int MaxRealms = 256;

    private readonly int _maxConcurrent;
    private readonly int _maxQueued;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RealmLimit> _realms = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="home">The account's realm.</param>
    /// <param name="maxConcurrent">Of each realm.</param>
    /// <param name="maxQueued">Of each realm.</param>
    public RealmConcurrencyLimits(string home, int maxConcurrent, int maxQueued)
    {
        (_maxConcurrent, _maxQueued) = (maxConcurrent, maxQueued);
        // Nobody leaves for it: however many realms are asked, there is room for this one.
        Join(home);
    }

    /// <summary>Waits for a place among the exchanges with the realm; disposing what it gives leaves it.</summary>
    /// <exception cref="KerberosException">The realm's queue is full, or too many realms are being asked
    /// (<see cref="KerberosFailureReason.Overloaded"/>, transient).</exception>
    public async ValueTask<Place> EnterAsync(string realm, CancellationToken cancellationToken)
    {
        var entered = Join(realm);
        try
        {
            return new Place(this, entered, await entered.Gate.EnterAsync(cancellationToken).ConfigureAwait(false));
        }
        catch
        {
            Leave(entered);
            throw;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            foreach (var realm in _realms.Values)
                realm.Gate.Dispose();
        }
    }

    /// <summary>The realm's gate, there until who joined it leaves it.</summary>
    private RealmLimit Join(string realm)
    {
        lock (_lock)
        {
            if (!_realms.TryGetValue(realm, out var found))
            {
                if (_realms.Count >= MaxRealms)
                    throw TooManyRealms();
                _realms[realm] = found = new RealmLimit(realm, new ConcurrencyLimit(_maxConcurrent, _maxQueued));
            }
            found.Users++;
            return found;
        }
    }

    private void Leave(RealmLimit realm)
    {
        lock (_lock)
        {
            if (--realm.Users > 0)
                return;
            _realms.Remove(realm.Name);
            realm.Gate.Dispose();
        }
    }

    private static KerberosException TooManyRealms() => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.Overloaded,
        IsTransient = true,
        Detail = $"exchanges with {MaxRealms} realms are under way",
    });

    /// <summary>A place among the exchanges with one realm.</summary>
    public readonly struct Place : IDisposable
    {
        private readonly RealmConcurrencyLimits _limits;
        private readonly RealmLimit _realm;
        private readonly ConcurrencyLimit.Place _place;

        internal Place(RealmConcurrencyLimits gates, RealmLimit realm, ConcurrencyLimit.Place place) => (_limits, _realm, _place) = (gates, realm, place);

        public void Dispose()
        {
            _place.Dispose();
            _limits.Leave(_realm);
        }
    }

    internal sealed class RealmLimit(string name, ConcurrencyLimit gate)
    {
        public string Name => name;

        public ConcurrencyLimit Gate => gate;

        /// <summary>Who is in it or waits at it; guarded by the lock on all gates.</summary>
        public int Users { get; set; }
    }
}
