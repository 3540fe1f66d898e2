using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>Validates a GSS krb5 token that a client presented to the account (RFC 4120 §3.2.3): ticket, times, authenticator,
/// replay.</summary>
internal sealed class TokenAcceptor(ExchangeContext context)
{
    /// <summary>The flag invalid(7) (RFC 4120 §2.2): the KDC has not validated the ticket yet.</summary>
    private const uint Invalid = 0x0100_0000;

    private readonly ReplayCache _replays = new(context.Clock);

    /// <summary>Validates a token.</summary>
    /// <exception cref="KerberosException">The token is refused (<see cref="KerberosFailureReason.TokenRejected"/>), with the code of
    /// RFC 4120 §3.2.3.</exception>
    public AcceptedUser Accept(ReadOnlyMemory<byte> token)
    {
        try
        {
            var (type, message) = GssKerberosToken.Unwrap(token);
            if (type != GssKerberosToken.ApRequestToken)
                throw KerberosException.Rejected("the token is not an AP-REQ");
            return new AcceptedUser(Open(ApRequest.Decode(message)));
        }
        catch (KerberosException error)
        {
            throw new KerberosException(
                error.Failure with
                {
                    Exchange = KerberosExchange.Accept,
                    Realm = context.Realm,
                    Account = context.Account.Name,
                    Reason = error.Reason == KerberosFailureReason.ReplyRejected ? KerberosFailureReason.TokenRejected : error.Reason,
                },
                error.InnerException);
        }
    }

    private IssuedTicket Open(ApRequest request)
    {
        var ticket = request.Ticket;
        if (!ReplyChecks.NamesRealm(context.Realm, ticket.Realm))
            throw Refused(KerberosErrorCode.NotUs, $"the ticket is from the realm {ticket.Realm}, not from {context.Realm}");
        var opened = OpenTicket(ticket);
        CheckTicket(opened);
        CheckAuthenticator(request.Authenticator, opened);
        return new IssuedTicket
        {
            Client = opened.Client,
            ClientRealm = opened.ClientRealm,
            Ticket = ticket,
            SessionKey = opened.Key,
            Flags = (TicketFlags)opened.Flags,
            AuthTime = opened.AuthTime,
            StartTime = opened.StartTime ?? opened.AuthTime,
            EndTime = opened.EndTime,
            RenewTill = opened.RenewTill,
        };
    }

    private EncTicketPart OpenTicket(Ticket ticket)
    {
        try
        {
            return EvidenceOpener.Open(context, ticket);
        }
        catch (KerberosException error) when (error.Reason is
            KerberosFailureReason.KeyUnavailable or KerberosFailureReason.EncryptionTypeRefused)
        {
            var part = ticket.EncryptedPart;
            throw Refused(KerberosErrorCode.NoKey, $"the account has no key of {part.Type} version {part.KeyVersion} for the ticket");
        }
    }

    private void CheckTicket(EncTicketPart ticket)
    {
        var now = context.Clock.Now;
        // RFC 4120 §3.2.3: "if the starttime is later than the current time by more than the allowable clock skew, or if the INVALID flag
        // is set".
        if ((ticket.StartTime ?? ticket.AuthTime) > now + ExchangeContext.AllowedSkew || (ticket.Flags & Invalid) != 0)
            throw Refused(KerberosErrorCode.TicketNotYetValid, "the ticket is not valid yet");
        if (ticket.EndTime <= now)
            throw Refused(KerberosErrorCode.TicketExpired, $"the ticket ended at {ticket.EndTime:u}");
    }

    private void CheckAuthenticator(EncryptedData encrypted, EncTicketPart ticket)
    {
        var plaintext = encrypted.Decrypt(ticket.Key, KeyUsage.ApRequestAuthenticator);
        Authenticator authenticator;
        try
        {
            authenticator = Authenticator.Decode(plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
        authenticator.Subkey?.Dispose();
        if (authenticator.Client != ticket.Client || !ReplyChecks.SameRealm(authenticator.ClientRealm, ticket.ClientRealm))
            throw Refused(KerberosErrorCode.BadMatch, "the client of the authenticator differs from the client of the ticket");
        var skew = authenticator.Time - context.Clock.Now;
        if (skew.Duration() > ExchangeContext.AllowedSkew)
            throw Refused(KerberosErrorCode.Skew, $"the authenticator's time differs from the KDC's by {skew:c}");
        // RFC 4121 §4.1.1: a GSS token has a checksum of this type.
        if (authenticator.Checksum is not { Type: ChecksumType.Gss } checksum || checksum.Value.Length < GssChecksum.Length)
            throw Refused(KerberosErrorCode.InappropriateChecksum, "the authenticator has no GSS checksum");
        if (!_replays.TryAdd(encrypted.Cipher.Span))
            throw Refused(KerberosErrorCode.Repeat, "the token was presented before");
    }

    private static KerberosException Refused(KerberosErrorCode code, FailureDetail detail) => Refused(code, detail.ToString());

    private static KerberosException Refused(KerberosErrorCode code, string detail) =>
        new(new KerberosFailure { Code = code, Reason = KerberosFailureReason.TokenRejected, Detail = detail });
}
