using System.Runtime.InteropServices;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos;

/// <summary>The state that verifies the AP-REP to one AP-REQ. Holds the timestamp only, no key.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct ApRequestState
{
    private readonly AuthenticatorTimestamp _timestamp;

    internal ApRequestState(AuthenticatorTimestamp timestamp) => _timestamp = timestamp;

    /// <summary>Verifies the service's proof (RFC 4120 §3.2.5): an AP-REP under the ticket's session key that echoes this request's
    /// time.</summary>
    /// <param name="template">The template that made the request.</param>
    /// <param name="token">The GSS krb5 token of the reply (RFC 4121 §4.1), without SPNEGO around it.</param>
    /// <exception cref="KerberosException">The token does not answer this request, or it is a KRB-ERROR
    /// (<see cref="KerberosException.Code"/>; <see cref="KerberosExchange.MutualAuthentication"/>).</exception>
    public void VerifyReply(ApRequestTemplate template, ReadOnlySpan<byte> token)
    {
        ArgumentNullException.ThrowIfNull(template);
        try
        {
            Verify(template, token.ToArray());
        }
        catch (KerberosException error)
        {
            throw error.InContext(new KerberosFailure
            {
                Exchange = KerberosExchange.MutualAuthentication,
                User = template.Ticket.User,
                Service = template.Ticket.Service,
            });
        }
    }

    private void Verify(ApRequestTemplate template, ReadOnlyMemory<byte> token)
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
        var plaintext = Decrypt(template, ApReply.Decode(message).EncryptedPart);
        EncApReplyPart part;
        try
        {
            part = EncApReplyPart.Decode(plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
        // RFC 4120 §3.2.5: "the client verifies that the timestamp matches that in the authenticator it sent".
        if (new AuthenticatorTimestamp(part.Time.ToUnixTimeSeconds(), part.Microseconds) != _timestamp)
            throw KerberosException.Rejected("the service's AP-REP answers another request");
    }

    private static byte[] Decrypt(ApRequestTemplate template, EncryptedData reply)
    {
        try
        {
            return reply.Decrypt(template.SessionKey, KeyUsage.ApReply);
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
}
