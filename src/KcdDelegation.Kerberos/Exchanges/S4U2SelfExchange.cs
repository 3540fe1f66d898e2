using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Protocol transition (MS-SFU §3.1.5.1): a ticket to the account itself in the name of a user who never showed the KDC a
/// password.</summary>
internal sealed class S4U2SelfExchange(ExchangeContext context)
{
    private const KdcOptionFlags Options = KdcOptionFlags.Forwardable | KdcOptionFlags.Renewable | KdcOptionFlags.Canonicalize;

    public async Task<UserEvidence> RequestAsync(IssuedTicket tgt, KerberosPrincipal user, CancellationToken cancellationToken)
    {
        var asked = PrincipalName.Of(user);
        var userRealm = user.Realm ?? tgt.ClientRealm;
        // MS-SFU §3.1.5.1.2: a ticket of the account for itself is no protocol transition, and its reply could not be told from one
        // of a KDC that ignored the request.
        if (asked == tgt.Client && ReplyChecks.SameRealm(userRealm, tgt.ClientRealm))
            throw new KerberosException(new KerberosFailure { Exchange = KerberosExchange.S4U2Self, Reason = KerberosFailureReason.IdentityMismatch, Detail = "the user to act as is the delegating account itself" });

        var query = new TgsQuery<UserEvidence>
        {
            Tgt = tgt,
            Service = tgt.Client,
            Options = Options,
            PaData = keys => MakePaData(asked, userRealm, keys),
            Accept = reply => Accept(reply, tgt, asked, userRealm),
        };
        var evidence = await context.SendAsync(tgt.ServiceRealm, KdcAttempts.Hedged, () => new TgsAttempt<UserEvidence>(query, context.EncryptionTypes, context.Clock), new KerberosFailure { Exchange = KerberosExchange.S4U2Self, User = user }, cancellationToken).ConfigureAwait(false);
        if (!evidence.Ticket.IsForwardable)
            KerberosLog.EvidenceNotForwardable(context.Logger, context.Account.Name, context.Realm);
        return evidence;
    }

    /// <summary>Both forms: Heimdal knows only PA-FOR-USER, and only PA-S4U-X509-USER is answered with a signature.</summary>
    private static PaData[] MakePaData(PrincipalName user, string realm, TgsRequestKeys keys)
    {
        var userId = S4UUserId.Create(keys.Nonce, user, realm, S4UUserId.UseReplyKeyUsage);
        return
        [
            PaForUser.Create(user, realm, keys.SessionKey).ToPaData(),
            PaS4UX509User.Create(userId, keys.Subkey, KeyUsage.PaS4UX509UserRequest).ToPaData(),
            PaPacOptions.Create(PaPacOptions.Claims | PaPacOptions.ResourceBasedDelegation),
        ];
    }

    private UserEvidence Accept(TgsReply reply, IssuedTicket tgt, PrincipalName asked, string userRealm)
    {
        var (message, part, keys) = reply;
        if (message.Client == tgt.Client)
            throw KerberosException.Rejected($"the KDC answered with an ordinary ticket of the account {tgt.Client} itself: it ignored the user");
        if (part.Service != tgt.Client || !ReplyChecks.SameRealm(part.ServiceRealm, tgt.ServiceRealm))
            throw KerberosException.Rejected($"the ticket is for {part.Service}@{part.ServiceRealm}, not for the account {tgt.Client}");

        var signed = CheckSignedUser(message, keys);
        var opened = EvidenceOpener.Open(context, message.Ticket);
        // One of the two must vouch for the name: by itself it stands unprotected beside the encrypted part.
        if (opened is null && !signed)
            throw KerberosException.Rejected($"nothing proves whose ticket it is: the reply has no signed user, and there is no key for {message.Ticket.EncryptedPart.Type} version {message.Ticket.EncryptedPart.KeyVersion} to open it with");
        if (opened is not null)
            CheckOpened(opened, message, part);
        EvidenceUser.Check(message, opened, asked, userRealm);
        opened?.Key.Dispose();
        return new UserEvidence(reply.ToTicket());
    }

    /// <summary>MS-SFU §3.1.5.1.1: the padata of the reply names the user, signed with the reply key. False: there is none.</summary>
    private static bool CheckSignedUser(KdcReplyMessage message, TgsRequestKeys keys)
    {
        if (message.PaData.Find(PaDataType.S4UX509User) is not { } value)
            return false;
        var signed = PaS4UX509User.Decode(value);
        // MS-SFU §2.2.2: usage 27 if the reply says so, else 26 as in the request.
        var usage = (signed.UserId.Options & S4UUserId.UseReplyKeyUsage) != 0 ? KeyUsage.PaS4UX509UserReply : KeyUsage.PaS4UX509UserRequest;
        if (!signed.IsSignedBy(keys.Subkey, usage))
            throw KerberosException.Rejected("the signature over the user in the reply is wrong");
        if (signed.UserId.Nonce != keys.Nonce)
            throw KerberosException.Rejected("the signed user in the reply has another nonce than the request");
        if (signed.UserId.User != message.Client || !ReplyChecks.SameRealm(signed.UserId.Realm, message.ClientRealm))
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but its signature {signed.UserId.User}@{signed.UserId.Realm}");
        return true;
    }

    /// <summary>The ticket itself must say what the reply says of it.</summary>
    private static void CheckOpened(EncTicketPart opened, KdcReplyMessage message, EncKdcReplyPart part)
    {
        if (opened.Client != message.Client || !ReplyChecks.SameRealm(opened.ClientRealm, message.ClientRealm))
            throw KerberosException.Rejected($"the reply names {message.Client}@{message.ClientRealm}, but the ticket in it is of {opened.Client}@{opened.ClientRealm}");
        if (opened.Key.Type != part.Key.Type || !CryptographicOperations.FixedTimeEquals(opened.Key.Bytes, part.Key.Bytes))
            throw KerberosException.Rejected("the ticket in the reply has another session key than the reply");
        if (((opened.Flags ^ part.Flags) & (uint)TicketFlags.Forwardable) != 0)
            throw KerberosException.Rejected("the ticket in the reply and the reply do not agree whether it is forwardable");
    }
}
