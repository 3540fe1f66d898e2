using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Files;

/// <summary>A name as a credential cache holds it.</summary>
internal sealed record CachePrincipal(PrincipalName Name, string Realm)
{
    public override string ToString() => PrintableText.From($"{Name}@{Realm}");
}

/// <summary>A ticket with its session key, as the KDC issued them.</summary>
internal sealed record CachedCredential
{
    /// <summary>Whom the ticket is for: the user.</summary>
    public required CachePrincipal Client { get; init; }

    public required CachePrincipal Server { get; init; }

    public required EncryptionType SessionKeyType { get; init; }

    /// <summary>A secret: it stays the caller's, who zeroes it.</summary>
    public required ReadOnlyMemory<byte> SessionKey { get; init; }

    public required DateTimeOffset AuthTime { get; init; }

    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset EndTime { get; init; }

    /// <summary>Null if the ticket cannot be renewed.</summary>
    public DateTimeOffset? RenewUntil { get; init; }

    public required TicketFlags Flags { get; init; }

    /// <summary>The ticket's DER, verbatim.</summary>
    public required ReadOnlyMemory<byte> Ticket { get; init; }

    /// <summary>Prints no key.</summary>
    public override string ToString() => $"{Client} for {Server}";
}
