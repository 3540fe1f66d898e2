using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing.Kdc;

/// <summary>Takes a request, gives the reply or the KRB-ERROR, and writes the transcript. Thread-safe.</summary>
internal sealed class KeyDistributionCenter
{
    /// <summary>What Windows sends by datagram at most (MaxDatagramReplySize).</summary>
    private const int MaxDatagram = 1465;

    private readonly RealmState _realm;
    private readonly FaultPlan _faults;
    private readonly Transcript _transcript;
    private readonly AsService _logOn;
    private readonly TgsService _ticketGranting;

    public KeyDistributionCenter(RealmState realm, FaultPlan faults, Transcript transcript)
    {
        (_realm, _faults, _transcript) = (realm, faults, transcript);
        var tickets = new TicketMaker(realm);
        _logOn = new AsService(realm, tickets);
        _ticketGranting = new TgsService(realm, tickets);
    }

    /// <summary>Null: the bytes are no request at all, to which KDCs do not answer.</summary>
    public KdcDelivery? Answer(ReadOnlyMemory<byte> request, KdcTransport transport)
    {
        if (Read(request) is not { } call)
            return null;
        var decision = Decide(call);
        var fault = _faults.Take(call.Exchange, transport, decision.Draft is not null);
        if (fault?.Refuse is { } refuse)
            decision = new KdcDecision(null, refuse(call));
        if (decision.Draft is { } draft)
            fault?.Alter?.Invoke(new RogueReply(_realm, call, draft));

        var bytes = decision.Draft?.Encode() ?? Encode(call, decision.Refusal!);
        if (transport == KdcTransport.Udp && bytes.Length > MaxDatagram)
        {
            decision = new KdcDecision(null, new KdcRefusalException(KerberosErrorCode.ResponseTooBig));
            bytes = Encode(call, decision.Refusal!);
        }
        Write(call, decision, fault);
        var delivery = new KdcDelivery(bytes);
        return fault?.Deliver?.Invoke(delivery) ?? delivery;
    }

    private KdcCall? Read(ReadOnlyMemory<byte> request)
    {
        try
        {
            return new KdcCall(KdcRequestMessage.Decode(request), _realm.Now);
        }
        catch (KerberosException error)
        {
            _transcript.Add($"? {error.Detail}");
            return null;
        }
    }

    private KdcDecision Decide(KdcCall call)
    {
        try
        {
            return new KdcDecision(call.Request.Type == KdcMessageType.AsRequest ? _logOn.Answer(call) : _ticketGranting.Answer(call), null);
        }
        catch (KdcRefusalException refusal)
        {
            return new KdcDecision(null, refusal);
        }
        catch (KerberosException)
        {
            // A part of the request cannot be read: RFC 4120 §7.5.9 has no code for that but this.
            return new KdcDecision(null, new KdcRefusalException(KerberosErrorCode.Generic));
        }
    }

    private void Write(KdcCall call, KdcDecision decision, KdcFault? fault)
    {
        var spoilt = fault is null ? "" : $" [{fault}]";
        if (decision.Draft is { } draft)
            _transcript.Add($"{call.Line} {draft.Outcome}{spoilt}");
        else if (fault is not null || !call.IsOpening)
            _transcript.Add($"{call.Line} {Outcome(call, decision.Refusal!)}{spoilt}");
    }

    private static string Outcome(KdcCall call, KdcRefusalException refusal)
    {
        // By these two answers a user's realm is found out: in the transcript they are not failures.
        if (call.Exchange == KerberosExchange.RealmDiscovery && refusal.Code == KerberosErrorCode.PreAuthenticationRequired)
            return "ok";
        return refusal.ClientRealm is { } realm ? $"referral {realm}" : KerberosErrorNames.Get(refusal.Code);
    }

    private byte[] Encode(KdcCall call, KdcRefusalException refusal) => new KrbError
    {
        ServerTime = _realm.Now + refusal.ClockError,
        Code = refusal.Code,
        ClientRealm = refusal.ClientRealm,
        Realm = _realm.Name,
        Service = call.Body.Service,
        Data = refusal.NtStatus is { } status && _realm.Kind == KdcKind.Windows ? KerbErrorData.Encode(status) : refusal.ErrorData,
    }.Encode();

    /// <summary>One of the two.</summary>
    private readonly record struct KdcDecision(ReplyDraft? Draft, KdcRefusalException? Refusal);
}
