using System.Runtime.InteropServices;
using KcdDelegation.Kerberos.ApExchange;

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
        ApReplyProof.Verify(template.Ticket, token.ToArray(), _timestamp);
    }
}
