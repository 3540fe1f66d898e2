namespace KcdDelegation.Tool.Output;

/// <summary>Each kind of token in words, and what to do when it is seen where another was expected.</summary>
internal static class TokenAdvice
{
    private const string WhyNtlm =
        "The client had no Kerberos ticket for the server. Look at the name in the URL: it must be the host's name, not an address, and "
        + "HTTP/that-name must be registered on exactly one account (setspn -Q, setspn -X). This library never sends NTLM.";

    private const string ServerWantsNtlm =
        "The server talks NTLM: put Negotiate first among its providers and take NTLM away, and see that it accepts Kerberos "
        + "(in IIS not Negotiate:PKU2U). This library never answers it.";

    public static (string Description, string Advice) Get(NegotiateTokenKind kind) => kind switch
    {
        NegotiateTokenKind.Kerberos => (
            "raw Kerberos: an AP-REQ in the GSS frame, without SPNEGO",
            "This is Kerberos. If the server answers 401, it may insist on SPNEGO (set TokenFormat to Spnego), or the ticket is for another "
            + "account's key: the SPN must be on the account that runs the service."),
        NegotiateTokenKind.SpnegoKerberos => (
            "SPNEGO with Kerberos (NegTokenInit)",
            "This is Kerberos. If the server answers 401, the ticket is probably for another account's key: the SPN must be on the account "
            + "that runs the service."),
        NegotiateTokenKind.KerberosReply => (
            "the server's proof (AP-REP)",
            "The server opened the ticket and proves who it is: Kerberos works."),
        NegotiateTokenKind.KerberosError => (
            "a Kerberos error (KRB-ERROR) from the server",
            "The server refused the ticket: a clock that is off, a replay, or a key that changed. Compare the clocks, then the SPN's account "
            + "with the one that runs the service."),
        NegotiateTokenKind.BareApRequest => (
            "an AP-REQ without the GSS frame",
            "Most servers refuse it: the frame of RFC 4121 belongs around it. The program that made it is at fault."),
        NegotiateTokenKind.SpnegoResponse => (
            "SPNEGO's answer (NegTokenResp)",
            "A later leg of a negotiation. With a Kerberos reply inside, the server proved who it is; with none, see the mechanism that it chose."),
        NegotiateTokenKind.SpnegoNtlm => ("SPNEGO with NTLM (NegTokenInit)", "This is not Kerberos. " + WhyNtlm),
        NegotiateTokenKind.SpnegoOther => (
            "SPNEGO with another mechanism (NegTokenInit)",
            "This is not Kerberos. NegoEx means PKU2U or a cloud account: the client found no domain. Offer Negotiate, not Negotiate:PKU2U."),
        NegotiateTokenKind.NtlmNegotiate => ("NTLM message 1, the client's (NEGOTIATE)", "This is not Kerberos. " + WhyNtlm),
        NegotiateTokenKind.NtlmChallenge => ("NTLM message 2, the server's (CHALLENGE)", "This is not Kerberos. " + ServerWantsNtlm),
        NegotiateTokenKind.NtlmAuthenticate => ("NTLM message 3, the client's (AUTHENTICATE)", "This is not Kerberos. " + WhyNtlm),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of token."),
    };
}
