using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing.Kdc;

/// <summary>Takes a request, gives the reply or the KRB-ERROR, and writes the transcript. Thread-safe.</summary>
internal sealed class KeyDistributionCenter
{
    /// <summary>What Windows sends by datagram at most (MaxDatagramReplySize).</summary>
    private const int MaxDatagram = 1465;

    private readonly RealmState _realm;
    private readonly Transcript _transcript;
    private readonly AsService _logOn;
    private readonly TgsService _ticketGranting;

    public KeyDistributionCenter(RealmState realm, Transcript transcript)
    {
        (_realm, _transcript) = (realm, transcript);
        var tickets = new TicketMaker(realm);
        _logOn = new AsService(realm, tickets);
        _ticketGranting = new TgsService(realm, tickets);
    }

    /// <summary>Null: the bytes are no request at all, to which KDCs do not answer.</summary>
    public KdcDelivery? Answer(ReadOnlyMemory<byte> request, KdcTransport transport)
    {
        KdcCall call;
        try
        {
            call = new KdcCall(KdcRequestMessage.Decode(request), _realm.Now);
        }
        catch (KerberosException error)
        {
            _transcript.Add($"? {error.Detail}");
            return null;
        }

        try
        {
            var draft = call.Request.Type == KdcMessageType.AsRequest ? _logOn.Answer(call) : _ticketGranting.Answer(call);
            var reply = draft.Encode();
            if (transport == KdcTransport.Udp && reply.Length > MaxDatagram)
                throw new KdcRefusalException(KerberosErrorCode.ResponseTooBig);
            _transcript.Add($"{call.Line} {draft.Outcome}");
            return new KdcDelivery(reply);
        }
        catch (KdcRefusalException refusal)
        {
            if (!call.IsOpening)
                _transcript.Add(Describe(call, refusal));
            return new KdcDelivery(Encode(call, refusal));
        }
        catch (KerberosException error)
        {
            // RFC 4120 §3.3.3: what cannot be read in a request that can.
            _transcript.Add($"{call.Line} {KerberosErrorNames.Of(KerberosErrorCode.Generic)}: {error.Detail}");
            return new KdcDelivery(Encode(call, new KdcRefusalException(KerberosErrorCode.Generic)));
        }
    }

    private static string Describe(KdcCall call, KdcRefusalException refusal)
    {
        // An unknown realm is found out by these two answers: in the transcript they are not failures.
        if (call.Exchange == KerberosExchange.RealmDiscovery && refusal.Code == KerberosErrorCode.PreAuthenticationRequired)
            return $"{call.Line} ok";
        return refusal.ClientRealm is { } realm ? $"{call.Line} referral {realm}" : $"{call.Line} {KerberosErrorNames.Of(refusal.Code)}";
    }

    private byte[] Encode(KdcCall call, KdcRefusalException refusal) => new KrbError
    {
        ServerTime = _realm.Now,
        Code = refusal.Code,
        ClientRealm = refusal.ClientRealm,
        Realm = _realm.Name,
        Service = call.Body.Service,
        Data = refusal.NtStatus is { } status && _realm.Kind == KdcKind.Windows ? KerbErrorData.Encode(status) : refusal.ErrorData,
    }.Encode();
}
