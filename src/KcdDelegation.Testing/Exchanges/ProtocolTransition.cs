using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>MS-SFU §3.2.5.1 S4U2Self: a ticket for the requesting account in the name of a user.</summary>
internal sealed class ProtocolTransition(RealmState realm, TicketMaker tickets)
{
    /// <summary>Reads the requested user. Null: the request is not S4U2Self, or this KDC does not recognize it.</summary>
    public RequestedUser? ReadUser(KdcCall call, TgsHeader header)
    {
        PaForUser? forUser = call.Request.PaData.Find(PaDataType.ForUser) is { } user ? PaForUser.Decode(user) : null;
        PaS4UX509User? x509User = realm.Kind != KdcKind.Heimdal && call.Request.PaData.Find(PaDataType.S4UX509User) is { } value
            ? PaS4UX509User.Decode(value)
            : null;
        return forUser is null && x509User is null ? null : new RequestedUser(call, header, forUser, x509User);
    }

    public ReplyDraft Answer(KdcCall call, TgsHeader header, Func<KdcCall, ResolvedService> resolve, RequestedUser user)
    {
        // MS-SFU §3.2.5.1: the PAC of the TGT identifies the account.
        if (header.Tgt.Pac is null)
            throw new KdcRefusalException(KerberosErrorCode.TgtRevoked);
        return realm.IsNamed(header.Tgt.Client.Realm)
            ? AnswerOwnAccount(call, header, resolve(call), user)
            : AnswerForeignAccount(call, header, user);
    }

    private ReplyDraft AnswerOwnAccount(KdcCall call, TgsHeader header, ResolvedService service, RequestedUser user)
    {
        // MS-SFU §3.2.5.1.1: the ticket is for the requesting account only.
        var account = realm.Accounts.Find(header.Tgt.Client.Name);
        if (account is null || service.Entry != account)
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        var (pac, mayBeDelegated) = IdentifyForOwnAccount(call, header, user);
        return Make(call, header, user, new S4UTicket(user.Client, service.Name, account.Keys, pac, mayBeDelegated
            && MayTransition(account)));
    }

    /// <summary>Identifies a user of this realm by the directory, and one of another realm by the TGT issued there (MS-SFU
    /// §3.2.5.1.2).</summary>
    private (PacIdentity Pac, bool MayBeDelegated) IdentifyForOwnAccount(KdcCall call, TgsHeader header, RequestedUser user)
    {
        var tgtIsOurs = realm.IsNamed(header.Tgt.Ticket.Realm);
        if (realm.IsNamed(user.Client.Realm))
        {
            if (!tgtIsOurs)
                throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown);
            var entry = Find(user.Client.Name);
            return (PacBuilder.Create(realm, entry, user.Client.Name, call.Now), entry.MayBeDelegated);
        }
        // MS-SFU §3.2.5.1.2; Heimdal searches its own directory for the user, whatever the realm.
        if (tgtIsOurs || realm.Kind == KdcKind.Heimdal)
        {
            var code = realm.Kind == KdcKind.Heimdal ? KerberosErrorCode.ClientPrincipalUnknown : KerberosErrorCode.Policy;
            throw new KdcRefusalException(code);
        }
        var pac = header.Tgt.Pac!;
        if (pac.ClientName != user.Client.ToString())
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        return (pac with { ClientName = user.Client.Name.ToString() }, header.Tgt.Forwardable);
    }

    // MS-SFU §3.2.5.1.1: the user's realm, and those between it and the account's, issue a TGT for the next realm with the user's PAC.
    private ReplyDraft AnswerForeignAccount(KdcCall call, TgsHeader header, RequestedUser user)
    {
        var account = header.Tgt.Client;
        if (!call.Body.Service.ToString().Equals(account.ToString(), StringComparison.OrdinalIgnoreCase))
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        var (name, pac, mayBeDelegated) = (user.Client, header.Tgt.Pac!, true);
        if (realm.IsNamed(user.Client.Realm))
        {
            var entry = Find(user.Client.Name);
            // MIT's KDC replies with the canonical name, which the client uses from then on. Active Directory repeats the request's.
            if (realm.Kind == KdcKind.Mit)
                name = new ClientName(new PrincipalName((int)PrincipalNameType.Principal, [entry.Name]), realm.Name);
            pac = PacBuilder.Create(realm, entry, name.Name, call.Now) with { ClientName = name.ToString() };
            mayBeDelegated = entry.MayBeDelegated;
        }
        else if (pac.ClientName != user.Client.ToString())
        {
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        }
        var route = realm.Route(other => other.IsNamed(account.Realm))
            ?? throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);
        var referral = ResolvedService.Referral(route.NextHop);
        var ticket = new S4UTicket(account, referral.Name, referral.Keys, pac, mayBeDelegated
            && header.Tgt.Forwardable) { RepliedUser = name };
        var draft = Make(call, header, user, ticket);
        draft.Outcome = $"referral {referral.ReferralTo}";
        return draft;
    }

    private DirectoryEntry Find(PrincipalName name)
    {
        var entry = realm.Accounts.Find(name) ?? throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown);
        return entry.Disabled ? throw new KdcRefusalException(KerberosErrorCode.ClientRevoked, NtStatus.AccountDisabled) : entry;
    }

    // MS-SFU §3.2.5.1.2: TrustedToAuthenticationForDelegation, or an empty delegation list. Heimdal requires the flag.
    private bool MayTransition(DirectoryEntry account) =>
        account.AnyProtocol || (realm.Kind != KdcKind.Heimdal && account.MayDelegateTo.IsEmpty);

    private ReplyDraft Make(KdcCall call, TgsHeader header, RequestedUser user, S4UTicket ticket)
    {
        var draft = tickets.Make(call, new TicketOrder
        {
            Client = ticket.Client,
            Service = ticket.Service,
            ServiceKeys = ticket.Keys,
            Pac = ticket.Pac,
            AuthTime = header.Tgt.Part.AuthTime,
            Forwardable = ticket.Forwardable && header.Tgt.Forwardable,
            NotAfter = header.Tgt.Part.EndTime,
            ReplyKey = header.ReplyKey,
            ReplyUsage = header.ReplyUsage,
        });
        if (user.CreateReply(ticket.RepliedUser ?? user.Client) is { } reply)
            draft.PaData.Add(reply);
        return draft;
    }

    private sealed record S4UTicket(ClientName Client, PrincipalName Service, KeyHistory Keys, PacIdentity Pac, bool Forwardable)
    {
        /// <summary>The user in the reply, if it is not the requested name.</summary>
        public ClientName? RepliedUser { get; init; }
    }
}
