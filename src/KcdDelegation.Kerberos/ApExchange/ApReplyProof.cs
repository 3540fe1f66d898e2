using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The verified answer of a service to one AP-REQ (RFC 4120 §3.2.5).</summary>
internal sealed class ApReplyProof : IDisposable
{
    private KerberosKey? _subkey;

    private ApReplyProof(EncApReplyPart part) => (_subkey, SequenceNumber) = (part.Subkey, part.SequenceNumber);

    public uint? SequenceNumber { get; }

    /// <summary>Verifies a token: an AP-REP under the ticket's session key that echoes the request's time.</summary>
    /// <exception cref="KerberosException">The token does not answer this request, or it is a KRB-ERROR.</exception>
    public static ApReplyProof Open(ServiceTicket ticket, ReadOnlyMemory<byte> token, AuthenticatorTimestamp timestamp)
    {
        try
        {
            var part = Verify(ticket, token, timestamp, EncApReplyPart.DecodeWithKey);
            return new ApReplyProof(part);
        }
        catch (KerberosException error)
        {
            throw InContext(error, ticket);
        }
    }

    /// <summary>Verifies a token as <see cref="Open"/> does, and ignores the service's subkey.</summary>
    /// <exception cref="KerberosException">The token does not answer this request, or it is a KRB-ERROR.</exception>
    public static void Verify(ServiceTicket ticket, ReadOnlyMemory<byte> token, AuthenticatorTimestamp timestamp)
    {
        try
        {
            Verify(ticket, token, timestamp, EncApReplyPart.Decode);
        }
        catch (KerberosException error)
        {
            throw InContext(error, ticket);
        }
    }

    /// <summary>Returns the service's subkey, which the caller owns then, or null.</summary>
    public KerberosKey? TakeSubkey() => Interlocked.Exchange(ref _subkey, null);

    public void Dispose() => _subkey?.Dispose();

    private static EncApReplyPart Verify(
        ServiceTicket ticket,
        ReadOnlyMemory<byte> token,
        AuthenticatorTimestamp timestamp,
        Func<ReadOnlyMemory<byte>, EncApReplyPart> decode)
    {
        var (type, message) = GssKerberosToken.Unwrap(token);
        switch (type)
        {
            case GssKerberosToken.ErrorToken:
                var error = KrbError.Decode(message);
                throw new KerberosException(new KerberosFailure { Code = error.Code, Detail = "the service answered with an error" });
            case not GssKerberosToken.ApReplyToken:
                throw KerberosException.Rejected("the service answered with a token that is not an AP-REP");
        }
        var plaintext = Decrypt(ticket, ApReply.Decode(message).EncryptedPart);
        EncApReplyPart part;
        try
        {
            part = decode(plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
        // RFC 4120 §3.2.5: "the client verifies that the timestamp matches that in the authenticator it sent".
        if (new AuthenticatorTimestamp(part.Time.ToUnixTimeSeconds(), part.Microseconds) == timestamp)
            return part;
        part.Subkey?.Dispose();
        throw KerberosException.Rejected("the service's AP-REP answers another request");
    }

    private static byte[] Decrypt(ServiceTicket ticket, EncryptedData reply)
    {
        try
        {
            return reply.Decrypt(ticket.Issued.SessionKey, KeyUsage.ApReply);
        }
        catch (ObjectDisposedException gone)
        {
            throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.ReplyRejected,
                IsTransient = true,
                Detail = "the ticket's client was disposed before the service's proof could be checked",
            }, gone);
        }
    }

    private static KerberosException InContext(KerberosException error, ServiceTicket ticket) => error.InContext(new KerberosFailure
    {
        Exchange = KerberosExchange.MutualAuthentication,
        User = ticket.User,
        Service = ticket.Service,
    });
}
