namespace KcdDelegation;

/// <summary>The kinds of tokens of the schemes <c>Negotiate</c>, <c>Kerberos</c> and <c>NTLM</c>.</summary>
public enum NegotiateTokenKind
{
    /// <summary>An AP-REQ in the GSS frame of RFC 4121 §4.1: raw Kerberos, no SPNEGO.</summary>
    Kerberos,

    /// <summary>An AP-REP, with or without its GSS frame: the service proves its identity.</summary>
    KerberosReply,

    /// <summary>A KRB-ERROR, with or without its GSS frame: the service refused the ticket and states the reason.</summary>
    KerberosError,

    /// <summary>A SPNEGO NegTokenInit (RFC 4178 §4.2.1) that carries Kerberos, or offers it first and carries nothing.</summary>
    SpnegoKerberos,

    /// <summary>A SPNEGO NegTokenInit that carries NTLM, or offers it first and carries nothing.</summary>
    SpnegoNtlm,

    /// <summary>A SPNEGO NegTokenInit with another mechanism, such as NegoEx.</summary>
    SpnegoOther,

    /// <summary>A SPNEGO NegTokenResp (RFC 4178 §4.2.2): the answer to a NegTokenInit, or the client's second leg.</summary>
    SpnegoResponse,

    /// <summary>NTLM message 1 (MS-NLMP §2.2.1.1).</summary>
    NtlmNegotiate,

    /// <summary>NTLM message 2 (MS-NLMP §2.2.1.2).</summary>
    NtlmChallenge,

    /// <summary>NTLM message 3 (MS-NLMP §2.2.1.3).</summary>
    NtlmAuthenticate,

    /// <summary>An AP-REQ without a GSS frame. Some clients send it by mistake and many services refuse it.</summary>
    BareApRequest,
}
