using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing.Kdc;

/// <summary>Answers requests with a reply or a KRB-ERROR and writes the transcript. Thread-safe.</summary>
internal sealed class KeyDistributionCenter
{
    /// <summary>The largest datagram that Windows sends (MaxDatagramReplySize).</summary>
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

    /// <summary>Answers a request. Returns null for bytes that are no request; KDCs do not answer those.</summary>
    public KdcDelivery? Answer(ReadOnlyMemory<byte> request, KdcTransport transport)
    {
        if (Read(request) is not { } call)
            return null;
        var decision = Decide(call);
        var fault = _faults.Take(call.Exchange, transport, hasReply: decision.Draft is not null);
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
            var isLogOn = call.Request.Type == KdcMessageType.AsRequest;
            return new KdcDecision(isLogOn ? _logOn.Answer(call) : _ticketGranting.Answer(call), null);
        }
        catch (KdcRefusalException refusal)
        {
            return new KdcDecision(null, refusal);
        }
        catch (KerberosException)
        {
            // A part of the request cannot be read. RFC 4120 §7.5.9 has no other code for that.
            return new KdcDecision(null, new KdcRefusalException(KerberosErrorCode.Generic));
        }
    }

    private void Write(KdcCall call, KdcDecision decision, KdcFault? fault)
    {
        var suffix = fault is null ? "" : $" [{fault}]";
        if (decision.Draft is { } draft)
            _transcript.Add($"{call.Line} {draft.Outcome}{suffix}");
        else if (fault is not null || !call.IsOpening)
            _transcript.Add($"{call.Line} {GetOutcome(call, decision.Refusal!)}{suffix}");
    }

    private static string GetOutcome(KdcCall call, KdcRefusalException refusal)
    {
        // These two answers tell the client a user's realm. In the transcript they are not failures.
        if (call.Exchange == KerberosExchange.RealmDiscovery && refusal.Code == KerberosErrorCode.PreAuthenticationRequired)
            return "ok";
        return refusal.ClientRealm is { } realm ? $"referral {realm}" : KerberosErrorNames.Get(refusal.Code);
    }

    private byte[] Encode(KdcCall call, KdcRefusalException refusal) => new KrbError
    {
        ServerTime = _realm.Now + refusal.ClockError,
        Code = refusal.Code,
        Text = refusal.Text,
        ClientRealm = refusal.ClientRealm,
        Realm = _realm.Name,
        Service = call.Body.Service,
        Data = refusal.NtStatus is { } status && _realm.Kind == KdcKind.Windows ? KerbErrorData.Encode(status) : refusal.ErrorData,
    }.Encode();

    /// <summary>A reply or a refusal.</summary>
    private readonly record struct KdcDecision(ReplyDraft? Draft, KdcRefusalException? Refusal);
}
