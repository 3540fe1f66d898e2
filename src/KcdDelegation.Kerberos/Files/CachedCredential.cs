using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Files;

/// <summary>A principal in a credential cache.</summary>
internal sealed record CachePrincipal(PrincipalName Name, string Realm)
{
    public override string ToString() => PrintableText.From($"{Name}@{Realm}", 256);
}

/// <summary>A ticket with its session key, as issued by the KDC.</summary>
internal sealed record CachedCredential
{
    /// <summary>The ticket's client: the user.</summary>
    public required CachePrincipal Client { get; init; }

    public required CachePrincipal Server { get; init; }

    public required EncryptionType SessionKeyType { get; init; }

    /// <summary>The session key. The caller owns this secret and zeroes it.</summary>
    public required ReadOnlyMemory<byte> SessionKey { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    /// <summary>The end of renewal, or null if the ticket cannot be renewed.</summary>
    public DateTimeOffset? RenewUntil { get; init; }

    public required TicketFlags Flags { get; init; }

    /// <summary>The DER encoding of the ticket, unchanged.</summary>
    public required ReadOnlyMemory<byte> Ticket { get; init; }

    /// <summary>Returns the names, without the key.</summary>
    public override string ToString() => $"{Client} for {Server}";
}
