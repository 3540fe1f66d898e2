using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>RFC 4120 §3.3: the ticket-granting service. Passes requests of its extensions on.</summary>
internal sealed class TgsService(RealmState realm, TicketMaker tickets)
{
    private readonly TgsHeaderReader _headers = new(realm);
    private readonly ServiceResolver _services = new(realm);
    private readonly ProtocolTransition _self = new(realm, tickets);
    private readonly ConstrainedDelegation _proxy = new(realm, tickets);

    public ReplyDraft Answer(KdcCall call)
    {
        call.Describe(KerberosExchange.Referral, $"TGS ?>{call.Body.Service}");
        var header = _headers.Read(call);
        call.Header = header;
        var user = _self.ReadUser(call, header);
        if (user is not null)
        {
            call.Describe(KerberosExchange.S4U2Self, $"SELF {user.Client.Name}>{header.Tgt.Client.Name}");
            user.Verify();
            return _self.Answer(call, header, _services.Resolve, user);
        }
        if (call.Asks(KdcOptionFlags.ConstrainedDelegation))
        {
            call.Describe(KerberosExchange.S4U2Proxy, $"PROXY ?>{call.Body.Service}");
            return _proxy.Answer(call, header, _services.Resolve(call));
        }
        call.Describe(KerberosExchange.Referral, $"TGS {header.Tgt.Client.Name}>{call.Body.Service}");
        return AnswerPlain(call, header, _services.Resolve(call));
    }

    private ReplyDraft AnswerPlain(KdcCall call, TgsHeader header, ResolvedService service)
    {
        // MS-SFU §3.2.5.1.1, §3.2.5.2.2: a TGT with the PAC of another principal is accepted for further TGTs only, never for a service.
        if (service.Entry is not null && header.Tgt.Pac is { } pac && pac.ClientName != header.Tgt.Client.Name.ToString())
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        var draft = tickets.Make(call, new TicketOrder
        {
            Client = header.Tgt.Client,
            Service = service.Name,
            ServiceKeys = service.Keys,
            Pac = header.Tgt.Pac,
            AuthTime = header.Tgt.Part.AuthTime,
            Flags = (TicketFlags)header.Tgt.Part.Flags & TicketFlags.PreAuthenticated,
            Forwardable = header.Tgt.Forwardable,
            NotAfter = header.Tgt.Part.EndTime,
            ReplyKey = header.ReplyKey,
            ReplyUsage = header.ReplyUsage,
        });
        if (service.ReferralTo is { } realmName)
            draft.Outcome = $"referral {realmName}";
        return draft;
    }
}
