using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Pac;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>MS-SFU §3.2.5.2 S4U2Proxy: a ticket to another service in the name of the user of the evidence ticket.</summary>
internal sealed class ConstrainedDelegation(RealmState realm, TicketMaker tickets)
{
    private static readonly PaData ResourceBased = PaPacOptions.Create(PaPacOptions.ResourceBasedDelegation);

    public ReplyDraft Answer(KdcCall call, TgsHeader header, ResolvedService service)
    {
        if (call.Body.AdditionalTickets is not [var evidence, ..])
            throw new KdcRefusalException(KerberosErrorCode.BadOption);
        // MS-SFU §3.2.5.2: no ticket-granting ticket is issued in a user's name.
        if (call.Body.Service.TicketGrantingRealm is not null)
            throw new KdcRefusalException(KerberosErrorCode.Policy);
        return realm.IsNamed(header.Tgt.Client.Realm)
            ? AnswerOwnAccount(call, header, service, evidence)
            : AnswerForeignAccount(call, header, service, evidence);
    }

    private ReplyDraft AnswerOwnAccount(KdcCall call, TgsHeader header, ResolvedService service, Ticket evidenceTicket)
    {
        var account = realm.Accounts.Find(header.Tgt.Client.Name)
            ?? throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown);
        // MS-SFU §3.2.5.2: the evidence must be a ticket for the requesting account.
        if (!realm.IsNamed(evidenceTicket.Realm) || realm.Accounts.Find(evidenceTicket.Service) != account)
            throw new KdcRefusalException(KerberosErrorCode.ServerNoMatch);
        var evidence = OpenEvidence(call, evidenceTicket, account.Keys);
        call.Describe(KerberosExchange.S4U2Proxy, $"PROXY {evidence.Client.Name}>{call.Body.Service}");

        if (service.ReferralTo is not null)
            return Refer(call, header, service, evidence);
        var byResource = AsksForResourceBased(call) && service.Entry!.AllowsActingAs.ContainsKey(account.Name);
        var target = call.Body.Service.ToString();
        var byAccount = account.MayDelegateTo.Keys.Any(allowed => allowed.Equals(target, realm.Accounts.Comparison));
        if (!byAccount && !byResource)
            throw new KdcRefusalException(KerberosErrorCode.BadOption, NotInList(call, account));
        ThrowIfNotForwardable(evidence);
        return Make(call, header, service, evidence, evidence.Client, evidence.Pac, byAccount ? [] : [ResourceBased]);
    }

    // MS-SFU §3.2.5.2.2: the service is in another realm, so the reply is a TGT of the account for that realm with the user's PAC.
    private ReplyDraft Refer(KdcCall call, TgsHeader header, ResolvedService service, OpenedTicket evidence)
    {
        if (!AsksForResourceBased(call))
            throw new KdcRefusalException(KerberosErrorCode.BadOption, NtStatus.NotFound);
        ThrowIfNotForwardable(evidence);
        if (evidence.Pac is not { } identity)
            throw new KdcRefusalException(KerberosErrorCode.BadOption);
        var pac = identity with { ClientName = evidence.Client.ToString() };
        var draft = Make(call, header, service, evidence, header.Tgt.Client, pac, [ResourceBased]);
        draft.Outcome = $"referral {service.ReferralTo}";
        return draft;
    }

    // MS-SFU §3.2.5.2.3: the evidence is the TGT with the user's PAC that the account's realm issued.
    private ReplyDraft AnswerForeignAccount(KdcCall call, TgsHeader header, ResolvedService service, Ticket evidenceTicket)
    {
        if (evidenceTicket.Service.TicketGrantingRealm is not { } granting || !realm.IsNamed(granting)
            || !realm.Trusts.TryGetValue(evidenceTicket.Realm, out var trust))
            throw new KdcRefusalException(KerberosErrorCode.ServerNoMatch);
        var evidence = OpenEvidence(call, evidenceTicket, trust.Incoming);
        if (evidence.Client != header.Tgt.Client || evidence.Pac is not { } pac || SplitName(pac.ClientName) is not { } user)
            throw new KdcRefusalException(KerberosErrorCode.ServerNoMatch);
        call.Describe(KerberosExchange.S4U2Proxy, $"PROXY {user.Name}>{call.Body.Service}");
        if (service.ReferralTo is not null)
            throw new KdcRefusalException(KerberosErrorCode.ServicePrincipalUnknown);
        if (!AsksForResourceBased(call) || !service.Entry!.AllowsActingAs.ContainsKey(header.Tgt.Client.ToString()))
            throw new KdcRefusalException(KerberosErrorCode.BadOption, NtStatus.NotFound);
        ThrowIfNotForwardable(evidence);
        return Make(call, header, service, evidence, user, pac with { ClientName = user.Name.ToString() }, [ResourceBased]);
    }

    private static OpenedTicket OpenEvidence(KdcCall call, Ticket ticket, KeyHistory keys)
    {
        try
        {
            return OpenedTicket.Open(ticket, keys, call.Now);
        }
        catch (KdcRefusalException refusal) when (refusal.Code == KerberosErrorCode.BadIntegrity)
        {
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        }
    }

    private static bool AsksForResourceBased(KdcCall call) =>
        call.Request.PaData.Find(PaDataType.PacOptions) is { } value
            && (PaPacOptions.Decode(value) & PaPacOptions.ResourceBasedDelegation) != 0;

    // MS-SFU §3.2.5.2.1: the status depends on the account's list; with the resource-based bit it is STATUS_NOT_FOUND.
    private static int NotInList(KdcCall call, DirectoryEntry account)
    {
        if (AsksForResourceBased(call))
            return NtStatus.NotFound;
        return account.MayDelegateTo.IsEmpty ? NtStatus.NotSupported : NtStatus.NoMatch;
    }

    private static void ThrowIfNotForwardable(OpenedTicket evidence)
    {
        if (!evidence.Forwardable)
            throw new KdcRefusalException(KerberosErrorCode.BadOption, NtStatus.AccountRestriction);
    }

    /// <summary>Splits name@REALM, where the name may contain an at sign.</summary>
    private static ClientName? SplitName(string text)
    {
        var at = text.LastIndexOf('@');
        if (at <= 0)
            return null;
        var name = text[..at];
        return name.Contains('@', StringComparison.Ordinal)
            ? new ClientName(new PrincipalName((int)PrincipalNameType.Enterprise, [name]), text[(at + 1)..])
            : new ClientName(new PrincipalName((int)PrincipalNameType.Principal, name.Split('/')), text[(at + 1)..]);
    }

    private ReplyDraft Make(KdcCall call, TgsHeader header, ResolvedService service, OpenedTicket evidence,
        ClientName client, PacIdentity? pac, IReadOnlyList<PaData> encryptedPaData) =>
        tickets.Make(call, new TicketOrder
        {
            Client = client,
            Service = service.Name,
            ServiceKeys = service.Keys,
            Pac = pac,
            AuthTime = evidence.Part.AuthTime,
            Flags = (TicketFlags)evidence.Part.Flags & TicketFlags.PreAuthenticated,
            Forwardable = header.Tgt.Forwardable,
            NotAfter = header.Tgt.Part.EndTime < evidence.Part.EndTime ? header.Tgt.Part.EndTime : evidence.Part.EndTime,
            ReplyKey = header.ReplyKey,
            ReplyUsage = header.ReplyUsage,
            EncryptedPaData = encryptedPaData,
        });
}
