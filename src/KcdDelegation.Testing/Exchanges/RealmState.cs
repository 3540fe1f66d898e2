using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The state shared by all services of a realm's KDC. Thread-safe.</summary>
internal sealed class RealmState
{
    /// <summary>RFC 4120 §1.6 leaves it to the site. KDCs use five minutes by default.</summary>
    public static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(5);

    private long _clockOffset;
    private int _pacSize;
    private long _ticketLife = TimeSpan.FromHours(10).Ticks;

    public RealmState(string name, KdcKind kind, TimeProvider timeProvider)
    {
        (Name, Kind, TimeProvider) = (name, kind, timeProvider);
        Accounts = new AccountDirectory(name, kind);
        TicketGranting = new KeyHistory(password: null, salt: "", AllTypes, version: 2);
        PasswordServer = new KeyHistory(password: null, salt: "", AllTypes, version: 1);
    }

    /// <summary>The encryption types of the kit, best first.</summary>
    public static IReadOnlyList<EncryptionType> AllTypes { get; } =
    [
        EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1,
        EncryptionType.Aes256CtsHmacSha384, EncryptionType.Aes128CtsHmacSha256,
    ];

    /// <summary>The name of the service that changes passwords (RFC 3244 §2).</summary>
    public static PrincipalName PasswordServerName { get; } = new((int)PrincipalNameType.ServiceInstance, ["kadmin", "changepw"]);

    public string Name { get; }
    public KdcKind Kind { get; }
    public AccountDirectory Accounts { get; }

    /// <summary>The keys of krbtgt.</summary>
    public KeyHistory TicketGranting { get; }

    /// <summary>The keys of <see cref="PasswordServerName"/>.</summary>
    public KeyHistory PasswordServer { get; }

    /// <summary>The trusts by the name of the trusted realm.</summary>
    public ConcurrentDictionary<string, Trust> Trusts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The realm's clock, without <see cref="ClockOffset"/>.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>The address of the realm's KDC. Set once, when it listens.</summary>
    public KdcEndpoint Endpoint { get; set; }

    public DateTimeOffset Now => TimeProvider.GetUtcNow() + ClockOffset;

    public TimeSpan ClockOffset
    {
        get => new(Interlocked.Read(ref _clockOffset));
        set => Interlocked.Exchange(ref _clockOffset, value.Ticks);
    }

    /// <summary>The longest lifetime of a ticket.</summary>
    public TimeSpan TicketLife
    {
        get => new(Interlocked.Read(ref _ticketLife));
        set => Interlocked.Exchange(ref _ticketLife, value.Ticks);
    }

    /// <summary>The minimum size of a PAC in bytes.</summary>
    public int PacSize
    {
        get => Volatile.Read(ref _pacSize);
        set => Volatile.Write(ref _pacSize, value);
    }

    public bool IsNamed(string realm) => realm.Equals(Name, Kind == KdcKind.Windows
        ? StringComparison.OrdinalIgnoreCase
        : StringComparison.Ordinal);

    /// <summary>Returns this realm and those that it trusts, directly or through others.</summary>
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

    /// <summary>Finds the nearest realm that meets the condition, and the trust that leads to it; null: none does.</summary>
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
/// <param name="Other">The trusted realm.</param>
/// <param name="Outgoing">The keys of krbtgt/OTHER in this realm: tickets of our users for the other realm.</param>
/// <param name="Incoming">The keys of krbtgt/OURS in the other realm: tickets issued there for ours.</param>
internal sealed record Trust(RealmState Other, KeyHistory Outgoing, KeyHistory Incoming);
