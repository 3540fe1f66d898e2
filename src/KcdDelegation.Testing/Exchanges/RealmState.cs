using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Accounts;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>What all services of a realm's KDC share. Thread-safe.</summary>
internal sealed class RealmState
{
    /// <summary>RFC 4120 §1.6 leaves it to the site; every KDC in the field takes five minutes.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    private long _clockOffset;
    private int _pacSize;

    public RealmState(string name, KdcKind kind, TimeProvider timeProvider)
    {
        (Name, Kind, TimeProvider) = (name, kind, timeProvider);
        Accounts = new AccountDirectory(name, kind);
        TicketGranting = new KeyHistory(password: null, salt: "", AllTypes, version: 2);
    }

    /// <summary>Best first.</summary>
    public static IReadOnlyList<EncryptionType> AllTypes { get; } =
        [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1, EncryptionType.Aes256CtsHmacSha384, EncryptionType.Aes128CtsHmacSha256];

    public string Name { get; }
    public KdcKind Kind { get; }
    public AccountDirectory Accounts { get; }

    /// <summary>Keys of krbtgt.</summary>
    public KeyHistory TicketGranting { get; }

    /// <summary>By the name of the realm trusted.</summary>
    public ConcurrentDictionary<string, Trust> Trusts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Of the realm's clock before it was set ahead or back.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>Where the realm's KDC listens; set once, when it does.</summary>
    public KdcEndpoint Endpoint { get; set; }

    public DateTimeOffset Now => TimeProvider.GetUtcNow() + ClockOffset;

    public TimeSpan ClockOffset
    {
        get => new(Interlocked.Read(ref _clockOffset));
        set => Interlocked.Exchange(ref _clockOffset, value.Ticks);
    }

    /// <summary>Bytes that a PAC has at least.</summary>
    public int PacSize
    {
        get => Volatile.Read(ref _pacSize);
        set => Volatile.Write(ref _pacSize, value);
    }

    public bool IsNamed(string realm) => realm.Equals(Name, Kind == KdcKind.Windows ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    /// <summary>This realm, and those that it trusts directly or through others.</summary>
    public IReadOnlyCollection<RealmState> Reachable()
    {
        var found = new HashSet<RealmState> { this };
        _ = Route(other =>
        {
            found.Add(other);
            return false;
        });
        return found;
    }

    /// <summary>The trusted realm through which the nearest realm is reached that fulfils the condition, and that realm; null: none does.</summary>
    public (Trust NextHop, RealmState Destination)? Route(Predicate<RealmState> isDestination)
    {
        var seen = new HashSet<RealmState> { this };
        var queue = new Queue<(Trust NextHop, RealmState Realm)>(Trusts.Values.Select(trust => (trust, trust.Other)));
        while (queue.TryDequeue(out var candidate))
        {
            if (!seen.Add(candidate.Realm))
                continue;
            if (isDestination(candidate.Realm))
                return candidate;
            foreach (var trust in candidate.Realm.Trusts.Values)
                queue.Enqueue((candidate.NextHop, trust.Other));
        }
        return null;
    }
}

/// <summary>One realm's side of a two-way trust.</summary>
/// <param name="Other">The realm trusted.</param>
/// <param name="Outgoing">Keys of krbtgt/OTHER here: tickets of our users for the other realm.</param>
/// <param name="Incoming">Keys of krbtgt/OURS there: tickets that the other realm gave for ours.</param>
internal sealed record Trust(RealmState Other, KeyHistory Outgoing, KeyHistory Incoming);
