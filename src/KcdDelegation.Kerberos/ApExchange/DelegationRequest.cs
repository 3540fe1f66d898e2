namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>A request for a ticket to a service for a user.</summary>
/// <param name="User">The user, as requested.</param>
/// <param name="Service">The target.</param>
/// <param name="Presented">The user's own ticket, or null for protocol transition.</param>
internal sealed record DelegationRequest(KerberosPrincipal User, ServicePrincipalName Service, AcceptedUser? Presented);
