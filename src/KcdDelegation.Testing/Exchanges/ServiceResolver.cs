using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The service that a ticket is issued for.</summary>
/// <param name="Name">The name in the ticket.</param>
/// <param name="Keys">The keys that encrypt the ticket.</param>
/// <param name="Entry">The service's account; null for ticket-granting services.</param>
/// <param name="ReferralTo">RFC 6806 §8: the next realm on the way to the service; null: no referral.</param>
internal sealed record ResolvedService(PrincipalName Name, KeyHistory Keys, DirectoryEntry? Entry, string? ReferralTo)
{
    public static ResolvedService Referral(Trust trust) =>
        new(PrincipalName.TicketGranting(trust.Other.Name), trust.Outgoing, Entry: null, trust.Other.Name);
}

/// <summary>RFC 4120 §3.3.1, RFC 6806 §8: finds the service of a name, or the next realm on the way to it.</summary>
internal sealed class ServiceResolver(RealmState realm)
{
    public ResolvedService Resolve(KdcCall call)
    {
        var name = call.Body.Service;
        if (!realm.IsNamed(call.Body.Realm))
            throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);
        if (name.TicketGrantingRealm is { } granting)
            return ResolveTicketGranting(name, granting);
        if (realm.Accounts.Find(name) is { } entry)
            return new ResolvedService(name, entry.Keys, entry, ReferralTo: null);
        if (call.Asks(KdcOptionFlags.Canonicalize) && realm.Route(other => other.Accounts.Find(name) is not null) is { } route)
            return ResolvedService.Referral(route.NextHop);
        throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);
    }

    private ResolvedService ResolveTicketGranting(PrincipalName name, string granting)
    {
        if (realm.IsNamed(granting))
            return new ResolvedService(name, realm.TicketGranting, Entry: null, ReferralTo: null);
        if (realm.Trusts.TryGetValue(granting, out var trust))
            return new ResolvedService(PrincipalName.TicketGranting(trust.Other.Name), trust.Outgoing, Entry: null, ReferralTo: null);
        return realm.Route(other => other.IsNamed(granting)) is { } route
            ? ResolvedService.Referral(route.NextHop)
            : throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);
    }
}
