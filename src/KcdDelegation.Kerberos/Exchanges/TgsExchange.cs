using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>One TGS-REQ (RFC 4120 §3.3.1) and the check of its reply.</summary>
internal sealed class TgsExchange<T> : KdcRequest<T>
{
    private readonly TgsQuery<T> _query;
    private readonly KdcClock _clock;
    private readonly KdcRequestBody _body;
    private readonly TgsRequestKeys _keys;

    public TgsExchange(TgsQuery<T> query, IReadOnlyList<EncryptionType> encryptionTypes, KdcClock clock)
    {
        (_query, _clock) = (query, clock);
        var tgt = query.Tgt;
        var now = clock.Now;
        _body = new KdcRequestBody
        {
            Options = query.Options,
            // RFC 4120 §3.3.1: the realm of the ticket-granting service that receives the request.
            Realm = tgt.Service.TicketGrantingRealm ?? tgt.ServiceRealm,
            Service = query.Service,
            Till = now + ExchangeContext.TicketLife,
            Nonce = Nonce.Create(),
            EncryptionTypes = encryptionTypes,
            AdditionalTickets = query.AdditionalTickets,
        };
        _keys = new TgsRequestKeys(tgt.SessionKey, KerberosKey.CreateRandom(tgt.SessionKey.Type), _body.Nonce);
        var encodedBody = _body.Encode();
        List<PaData> paData = [new PaData(PaDataType.TgsRequest, EncodeApRequest(encodedBody)), .. query.CreatePaData(_keys)];
        Message = new KdcRequestMessage(KdcMessageType.TgsRequest, paData, encodedBody).Encode();
    }

    public override ReadOnlyMemory<byte> Message { get; }

    public override T Check(ReadOnlyMemory<byte> reply)
    {
        if (KrbError.Is(reply))
            throw KdcErrorReply.ToException(KrbError.Decode(reply));
        var message = KdcReplyMessage.Decode(KdcMessageType.TgsReply, reply);
        var (part, key) = Decrypt(message);
        Contents?.Add(part);
        ReplyChecks.CheckPart(part, message, _body, _clock.Now);
        return _query.Accept(new TgsReply(message, part, _keys) { ReplyKey = key, Contents = Contents });
    }

    /// <summary>Decrypts the reply with the authenticator's subkey (RFC 4120 §3.3.4), or with the session key of the TGT.</summary>
    /// <remarks>Some KDCs ignore the subkey. The session key proves as much: only the KDC and this client have it.</remarks>
    private (EncKdcReplyPart Part, KerberosKey Key) Decrypt(KdcReplyMessage message)
    {
        try
        {
            return (ReplyChecks.Decrypt(message, _keys.Subkey, KeyUsage.TgsReplySubkey), _keys.Subkey);
        }
        catch (KerberosException withSubkey)
        {
            try
            {
                return (ReplyChecks.Decrypt(message, _keys.SessionKey, KeyUsage.TgsReplySessionKey), _keys.SessionKey);
            }
            catch (KerberosException)
            {
                throw withSubkey;
            }
        }
    }

    private byte[] EncodeApRequest(byte[] encodedBody)
    {
        var tgt = _query.Tgt;
        var (seconds, microseconds) = _clock.UniqueNow(_clock.Offset).Split();
        var authenticator = new Authenticator
        {
            ClientRealm = tgt.ClientRealm,
            Client = tgt.Client,
            // RFC 4120 §3.3.2: a keyed checksum over the exact bytes of the body. KDCs refuse requests without one.
            Checksum = ChecksumField.Create(tgt.SessionKey, KeyUsage.TgsRequestBodyChecksum, encodedBody),
            Microseconds = microseconds,
            Time = seconds,
            Subkey = _keys.Subkey,
        };
        var encrypted = EncryptedData.Encrypt(tgt.SessionKey, KeyUsage.TgsRequestAuthenticator, authenticator.Encode());
        return new ApRequest(0, tgt.Ticket, encrypted).Encode();
    }
}
