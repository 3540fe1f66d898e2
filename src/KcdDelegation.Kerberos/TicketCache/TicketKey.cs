namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The three kinds of entry.</summary>
internal enum TicketKind
{
    /// <summary>The delegating account's ticket-granting ticket.</summary>
    Tgt,

    /// <summary>A ticket to the account itself in a user's name; one serves every application.</summary>
    Evidence,

    /// <summary>A ticket to a target in a user's name.</summary>
    Service,
}

/// <summary>What a ticket is looked up by: typed and compared ordinally, never a joined string, in which one name could pass for two.
/// The delegating account is part of the key too, though a cache belongs to one client and so to one account.</summary>
/// <param name="Kind">What kind of ticket.</param>
/// <param name="Account">The delegating account.</param>
/// <param name="User">The user as asked for: name, type and realm; null for the account's own TGT.</param>
/// <param name="Service">The target with the exact text of its name; null for a TGT or evidence.</param>
/// <param name="Evidence">Where the user's evidence comes from.</param>
internal readonly record struct TicketKey(TicketKind Kind, string Account, KerberosPrincipal? User, ServicePrincipalName? Service, EvidenceOrigin Evidence)
{
    public static TicketKey Tgt(string account) => new(TicketKind.Tgt, account, null, null, EvidenceOrigin.None);

    public static TicketKey Self(string account, KerberosPrincipal user) => new(TicketKind.Evidence, account, user, null, EvidenceOrigin.ProtocolTransition);

    public static TicketKey Proxy(string account, KerberosPrincipal user, ServicePrincipalName service, EvidenceOrigin evidence) =>
        new(TicketKind.Service, account, user, service, evidence);
}

/// <summary>Where evidence comes from: S4U2Self, or a ticket that the user presented (by the hash of its bytes). A ticket that was got
/// by the one never answers a request for the other.</summary>
internal sealed record EvidenceOrigin(string PresentedTicketHash)
{
    public static EvidenceOrigin None { get; } = new("");

    public static EvidenceOrigin ProtocolTransition { get; } = new("S4U2Self");
}
