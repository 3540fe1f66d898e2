using System.Runtime.CompilerServices;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The kinds of cache entries.</summary>
internal enum TicketKind
{
    /// <summary>The delegating account's ticket-granting ticket.</summary>
    Tgt,

    /// <summary>A ticket to the account itself for a user (S4U2Self). One serves all applications.</summary>
    Evidence,

    /// <summary>A ticket to a target for a user (S4U2Proxy).</summary>
    Service,

    /// <summary>A ticket to a service for the delegating account itself.</summary>
    Account,
}

/// <summary>The key of a cache entry. Its parts are typed and compared ordinally, so two names never share an entry.</summary>
/// <param name="Kind">What kind of ticket.</param>
/// <param name="Account">The delegating account.</param>
/// <param name="User">The user as requested: name, type and realm. Null for the account's TGT.</param>
/// <param name="Service">The target with the exact text of its name. Null for a TGT or evidence.</param>
/// <param name="Evidence">The origin of the user's evidence.</param>
internal readonly record struct TicketKey(
    TicketKind Kind, string Account, KerberosPrincipal? User, ServicePrincipalName? Service, EvidenceOrigin Evidence)
{
    /// <summary>Hashes the members that have many values. The others have few for one user, host and origin of evidence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override int GetHashCode() => HashCode.Combine(
        Kind, User?.Name.GetHashCode(StringComparison.Ordinal), Service?.Host.GetHashCode(StringComparison.Ordinal),
        Evidence.PresentedTicketHash.GetHashCode(StringComparison.Ordinal));

    public static TicketKey Tgt(string account) => new(TicketKind.Tgt, account, null, null, EvidenceOrigin.None);

    public static TicketKey Own(string account, ServicePrincipalName service) =>
        new(TicketKind.Account, account, null, service, EvidenceOrigin.None);

    public static TicketKey Self(string account, KerberosPrincipal user) =>
        new(TicketKind.Evidence, account, user, null, EvidenceOrigin.ProtocolTransition);
}

/// <summary>The origin of evidence: S4U2Self, or a ticket that the user presented (by the hash of its bytes). A ticket from one origin
/// never answers a request for the other.</summary>
internal sealed record EvidenceOrigin(string PresentedTicketHash)
{
    public static EvidenceOrigin None { get; } = new("");

    public static EvidenceOrigin ProtocolTransition { get; } = new("S4U2Self");
}
