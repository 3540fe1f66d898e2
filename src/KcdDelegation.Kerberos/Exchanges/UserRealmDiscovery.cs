using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Finds the realm of a user of whom only the user principal name is known (MS-SFU §3.1.5.1.1.1, RFC 6806 §6): an AS-REQ
/// without pre-authentication, first to the account's own KDC. Nothing in the answer is authenticated; it only says where to ask next,
/// and the way there leads over trusts that the KDCs vouch for.</summary>
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
            var found = await context.SendAsync(asked, KdcRequestMode.Hedged, () => new UserRealmAttempt(context, user, asked), new KerberosFailure { Exchange = KerberosExchange.RealmDiscovery, User = user }, cancellationToken).ConfigureAwait(false);
            if (string.Equals(found, asked, StringComparison.OrdinalIgnoreCase))
                return found;
            if (visited.Count == MaxHops || !visited.Add(found))
            {
                throw new KerberosException(new KerberosFailure
                {
                    Exchange = KerberosExchange.RealmDiscovery, Reason = KerberosFailureReason.ReplyRejected, Realm = asked, User = user, Account = context.Account.Name,
                    Detail = $"the realms {string.Join(", ", visited)} send the user to each other without end",
                });
            }
            realm = found;
        }
    }
}

/// <summary>One question where a user lives.</summary>
internal sealed class UserRealmAttempt : KdcRequest<string>
{
    private readonly string _realm;

    public UserRealmAttempt(ExchangeContext context, KerberosPrincipal user, string realm)
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
            // A user who needs no pre-authentication: the KDC knows him. His ticket is of no use here and is not looked into.
            var message = KdcReplyMessage.Decode(KdcMessageType.AsReply, reply);
            return string.Equals(message.Ticket.Realm, _realm, StringComparison.OrdinalIgnoreCase)
                ? _realm
                : throw KerberosException.Rejected($"{_realm} answered with a ticket of {message.Ticket.Realm}");
        }
        var error = KrbError.Decode(reply);
        return error.Code switch
        {
            // MS-SFU §3.1.5.1.1.1: these say that the user is of this realm.
            KerberosErrorCode.PreAuthenticationRequired or KerberosErrorCode.KeyExpired => _realm,
            // RFC 6806 §6; some KDCs still send 6 with the realm to go to.
            KerberosErrorCode.WrongRealm or KerberosErrorCode.ClientPrincipalUnknown
                when error.ClientRealm is { Length: > 0 } other && !string.Equals(other, _realm, StringComparison.OrdinalIgnoreCase) => other,
            // Encryption types are of the user's keys, which are not asked for: he is of this realm all the same.
            KerberosErrorCode.EncryptionTypeNotSupported => _realm,
            _ => throw KdcErrorReply.ToException(error),
        };
    }
}
