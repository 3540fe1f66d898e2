using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Finds the realm of a user principal name (MS-SFU §3.1.5.1.1.1, RFC 6806 §6) by an AS-REQ without pre-authentication, first to
/// the account's own KDC.</summary>
/// <remarks>The answers are not authenticated. They only select the realm to ask next, which is reached over trusts that the KDCs
/// vouch for.</remarks>
internal sealed class UserRealmDiscovery(ExchangeContext context)
{
    private const int MaxHops = 10;

    public async Task<string> FindAsync(KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var realm = context.Realm;
        var visited = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { realm };
        while (true)
        {
            var asked = realm;
            var subject = new KerberosFailure { Exchange = KerberosExchange.RealmDiscovery, User = user };
            UserRealmRequest Create() => new(context, user, asked);
            var found = await context.SendAsync(asked, KdcRequestMode.Hedged, Create, subject, cancellationToken).ConfigureAwait(false);
            if (string.Equals(found, asked, StringComparison.OrdinalIgnoreCase))
                return found;
            if (visited.Count == MaxHops || !visited.Add(found))
            {
                throw new KerberosException(new KerberosFailure
                {
                    Exchange = KerberosExchange.RealmDiscovery,
                    Reason = KerberosFailureReason.ReplyRejected,
                    Realm = asked,
                    User = user,
                    Account = context.Account.Name,
                    Detail = $"the realms {string.Join(", ", visited)} refer the user to each other",
                });
            }
            realm = found;
        }
    }
}

/// <summary>One query for a user's realm.</summary>
internal sealed class UserRealmRequest : KdcRequest<string>
{
    private readonly string _realm;

    public UserRealmRequest(ExchangeContext context, KerberosPrincipal user, string realm)
    {
        _realm = realm;
        var now = context.Clock.Now;
        var body = new KdcRequestBody
        {
            Options = KdcOptionFlags.Canonicalize,
            Client = PrincipalName.From(user),
            Realm = realm,
            Service = PrincipalName.TicketGranting(realm),
            Till = now + ExchangeContext.TicketLife,
            Nonce = Nonce.Create(),
            EncryptionTypes = context.EncryptionTypes,
        };
        Message = new KdcRequestMessage(KdcMessageType.AsRequest, [], body.Encode()).Encode();
    }

    public override ReadOnlyMemory<byte> Message { get; }

    public override string Check(ReadOnlyMemory<byte> reply)
    {
        if (!KrbError.Is(reply))
        {
            // A user without required pre-authentication: the KDC knows them. The ticket is not used.
            var message = KdcReplyMessage.Decode(KdcMessageType.AsReply, reply);
            return string.Equals(message.Ticket.Realm, _realm, StringComparison.OrdinalIgnoreCase)
                ? _realm
                : throw KerberosException.Rejected($"{_realm} answered with a ticket of {message.Ticket.Realm}");
        }
        var error = KrbError.Decode(reply);
        return error.Code switch
        {
            // MS-SFU §3.1.5.1.1.1: these codes mean that the user is in this realm.
            KerberosErrorCode.PreAuthenticationRequired or KerberosErrorCode.KeyExpired => _realm,
            // RFC 6806 §6; some KDCs still send 6 with the realm to go to.
            KerberosErrorCode.WrongRealm or KerberosErrorCode.ClientPrincipalUnknown
                when error.ClientRealm is { Length: > 0 } other && !ReplyChecks.NamesRealm(other, _realm) => other,
            // The encryption types refer to the user's keys, which are not requested: the user is in this realm.
            KerberosErrorCode.EncryptionTypeNotSupported => _realm,
            _ => throw KdcErrorReply.ToException(error),
        };
    }
}
