using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The service for which the account's AS exchange requests a ticket.</summary>
/// <param name="Service">The name of the service.</param>
/// <param name="Options">The options of the request.</param>
/// <param name="Life">The requested lifetime of the ticket.</param>
/// <param name="RenewableLife">The requested renewable lifetime, or null for a ticket that cannot be renewed.</param>
internal sealed record LogOnTarget(PrincipalName Service, KdcOptionFlags Options, TimeSpan Life, TimeSpan? RenewableLife)
{
    /// <summary>The password server (RFC 3244 §2). Its ticket must be from an AS exchange. MIT refuses forwardable ones.</summary>
    public static readonly LogOnTarget PasswordServer = new(
        new PrincipalName((int)PrincipalNameType.ServiceInstance, ["kadmin", "changepw"]), KdcOptionFlags.Canonicalize,
        TimeSpan.FromMinutes(5), RenewableLife: null);

    /// <summary>Creates the target of an ordinary log-on: the ticket-granting service of the realm.</summary>
    public static LogOnTarget TicketGranting(string realm) => new(
        PrincipalName.TicketGranting(realm),
        KdcOptionFlags.Forwardable | KdcOptionFlags.Renewable | KdcOptionFlags.Canonicalize,
        ExchangeContext.TicketLife, TimeSpan.FromDays(7));
}
