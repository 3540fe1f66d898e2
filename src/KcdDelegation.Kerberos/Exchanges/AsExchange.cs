using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The KDC's answer to an AS-REQ, unless it is a plain refusal.</summary>
internal abstract record AsOutcome
{
    /// <summary>A reply that was decrypted and validated.</summary>
    public sealed record Ticket(IssuedTicket Tgt) : AsOutcome;

    /// <summary>KDC_ERR_PREAUTH_REQUIRED (25). The hints name the encryption types and salts that the KDC accepts.</summary>
    public sealed record PreAuthenticationRequired(IReadOnlyList<EtypeInfo2Entry> Hints) : AsOutcome;

    /// <summary>KRB_AP_ERR_SKEW (37), or a reply with another time. The error is not authenticated, so it justifies only one more
    /// request.</summary>
    public sealed record ClockSkew(DateTimeOffset ServerTime, KerberosException Error) : AsOutcome;
}

/// <summary>One AS-REQ of the delegating account (RFC 4120 §3.1.1) and the validation of its reply (§3.1.5).</summary>
internal sealed class AsExchange : KdcRequest<AsOutcome>
{
    private readonly ExchangeContext _context;
    private readonly PrincipalName _client;
    private readonly KdcRequestBody _body;
    private readonly LogOnKey? _preAuthentication;
    private readonly TimeSpan _clockOffset;

    /// <param name="context">The context of the account's exchanges.</param>
    /// <param name="target">The service for which the ticket is.</param>
    /// <param name="encryptionTypes">The encryption types that the account can use.</param>
    /// <param name="preAuthentication">The key to prove, or null to send no pre-authentication.</param>
    /// <param name="clockOffset">The offset of the KDC's clock that the request assumes.</param>
    public AsExchange(
        ExchangeContext context, LogOnTarget target, IReadOnlyList<EncryptionType> encryptionTypes, LogOnKey? preAuthentication,
        TimeSpan clockOffset)
    {
        (_context, _preAuthentication, _clockOffset) = (context, preAuthentication, clockOffset);
        _client = new PrincipalName((int)PrincipalNameType.Principal, context.Account.Name.Split('/'));
        var timestamp = context.Clock.UniqueNow(clockOffset);
        _body = new KdcRequestBody
        {
            Options = target.Options,
            Client = _client,
            Realm = context.Realm,
            Service = target.Service,
            Till = timestamp + target.Life,
            RenewTill = timestamp + target.RenewableLife,
            Nonce = Nonce.Create(),
            EncryptionTypes = encryptionTypes,
        };
        List<PaData> paData = [PaPacRequest.Include];
        if (preAuthentication is not null)
        {
            var (seconds, microseconds) = timestamp.Split();
            // RFC 4120 §5.2.7.2: PA-ENC-TIMESTAMP is an EncryptedData of PA-ENC-TS-ENC under the account's long-term key.
            var proof = EncryptedData.Encrypt(
                preAuthentication.Key, KeyUsage.EncryptedTimestamp, new PaEncTimestamp(seconds, microseconds).Encode());
            paData.Insert(0, new PaData(PaDataType.EncryptedTimestamp, proof.Encode()));
        }
        Message = new KdcRequestMessage(KdcMessageType.AsRequest, paData, _body.Encode()).Encode();
    }

    public override ReadOnlyMemory<byte> Message { get; }

    public override AsOutcome Check(ReadOnlyMemory<byte> reply)
    {
        if (KrbError.Is(reply))
            return CheckError(KrbError.Decode(reply));

        var message = KdcReplyMessage.Decode(KdcMessageType.AsReply, reply);
        var key = GetReplyKey(message);
        var now = _context.Clock.TimeProvider.GetUtcNow() + _clockOffset;
        var part = ReplyChecks.Decrypt(message, key, KeyUsage.AsReply);
        Contents?.Add(part);
        ReplyChecks.CheckPart(part, message, _body, now);
        if (_body.Service.TicketGrantingRealm is null)
            ReplyChecks.CheckInitialTicket(message, part, _body.Service, _context.Realm);
        else
            ReplyChecks.CheckTicketGrantingTicket(message, part, _context.Realm);
        if (Math.Abs((part.AuthTime - now).Ticks) > ExchangeContext.AllowedSkew.Ticks)
            return new AsOutcome.ClockSkew(part.AuthTime, ClockDiffers(part.AuthTime - now));
        return new AsOutcome.Ticket(ReplyChecks.ToTicket(message, part));
    }

    private AsOutcome CheckError(KrbError error)
    {
        var exception = KdcErrorReply.ToException(error);
        switch (error.Code)
        {
            case KerberosErrorCode.PreAuthenticationRequired when _preAuthentication is null:
                _context.NoteSoftware(_context.Realm, exception.KdcSoftware);
                var hints = PaData.DecodeMethodData(error.Data).Find(PaDataType.EtypeInfo2);
                return new AsOutcome.PreAuthenticationRequired(hints is { } value ? EtypeInfo2Entry.DecodeList(value) : []);
            case KerberosErrorCode.PreAuthenticationRequired:
                throw new KerberosException(exception.Failure with
                {
                    Reason = KerberosFailureReason.PreAuthenticationNotSupported,
                    Detail = $"{exception.Detail}; the KDC offers "
                        + $"{PreAuthenticationOffer.Describe(PreAuthenticationOffer.Read(error))}, and this client "
                        + "proves its key with PA-ENC-TIMESTAMP (2)",
                });
            case KerberosErrorCode.PreAuthenticationFailed when _preAuthentication is { Salt: { } salt }:
                throw new KerberosException(exception.Failure with
                {
                    Detail = $"{(exception.Detail.Length > 0 ? $"{exception.Detail}; " : "")}the salt of the KDC's key is "
                        + PrintableText.Quoted(salt),
                });
            case KerberosErrorCode.Skew:
                return new AsOutcome.ClockSkew(error.ServerTime, exception);
            case KerberosErrorCode.WrongRealm:
                // Client referrals are followed for users only (RFC 6806 §6). The account's realm is configured.
                throw new KerberosException(exception.Failure with
                {
                    Detail = $"the KDC refers the account {_client} to {error.ClientRealm ?? "another realm"}, " +
                        $"and the configured realm is {_context.Realm}",
                });
            default:
                throw exception;
        }
    }

    /// <summary>Returns the key that must decrypt the reply.</summary>
    /// <remarks>This is the key that was proven. If the KDC required no proof, it is the account's key of the reply's encryption type,
    /// which must have been offered, with the salt that the reply names.</remarks>
    private KerberosKey GetReplyKey(KdcReplyMessage message)
    {
        var type = message.EncryptedPart.Type;
        if (!_body.EncryptionTypes.Contains(type))
            throw KerberosException.Rejected($"the reply is encrypted with {type}, which was not offered");
        if (_preAuthentication is { } proven && proven.Key.Type == type)
            return proven.Key;
        var hints = message.PaData.Find(PaDataType.EtypeInfo2) is { } value ? EtypeInfo2Entry.DecodeList(value) : [];
        return LogOnKey.Choose(_context, [type], hints).Key;
    }

    private static KerberosException ClockDiffers(TimeSpan by) => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.ReplyRejected,
        Detail = $"the KDC's clock differs by {by.Duration():hh\\:mm\\:ss} from this machine's clock",
    });
}
