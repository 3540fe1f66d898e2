namespace KcdDelegation.Tool.Output;

/// <summary>A description of each kind of token, and what to do if another kind was expected.</summary>
internal static class TokenAdvice
{
    private const string ClientUsesNtlm =
        "The client had no Kerberos ticket for the server. Check the name in the URL: it must be the name of the host, not an address, and "
        + "HTTP/NAME must be registered on exactly one account (setspn -Q, setspn -X). This library never sends NTLM.";

    private const string ServerUsesNtlm =
        "The server negotiates NTLM. Put Negotiate first among its providers, remove NTLM, and check that it accepts Kerberos "
        + "(in IIS, not Negotiate:PKU2U). This library never answers an NTLM challenge.";

    public static (string Description, string Advice) Get(NegotiateTokenKind kind) => kind switch
    {
        NegotiateTokenKind.Kerberos => (
            "raw Kerberos: an AP-REQ in a GSS-API frame, without SPNEGO",
            "This is Kerberos. If the server responds with 401, it may require SPNEGO (set TokenFormat to Spnego), or the ticket is "
                + "encrypted "
            + "for another account: the SPN must be registered on the account that runs the service."),
        NegotiateTokenKind.SpnegoKerberos => (
            "SPNEGO with Kerberos (NegTokenInit)",
            "This is Kerberos. If the server responds with 401, the ticket is probably encrypted for another account: the SPN must be "
                + "registered "
            + "on the account that runs the service."),
        NegotiateTokenKind.KerberosReply => (
            "the server's mutual authentication (AP-REP)",
            "The server decrypted the ticket and proved its identity. Kerberos works."),
        NegotiateTokenKind.KerberosError => (
            "a Kerberos error of the server (KRB-ERROR)",
            "The server refused the ticket. Compare the clocks, then the account of the SPN with the account that runs the service."),
        NegotiateTokenKind.BareApRequest => (
            "an AP-REQ without a GSS-API frame",
            "Most servers refuse this token, because RFC 4121 requires the frame. Correct the program that created it."),
        NegotiateTokenKind.SpnegoResponse => (
            "SPNEGO response (NegTokenResp)",
            "This is a later message of a negotiation."),
        NegotiateTokenKind.SpnegoNtlm => ("SPNEGO with NTLM (NegTokenInit)", "This is not Kerberos. " + ClientUsesNtlm),
        NegotiateTokenKind.SpnegoOther => (
            "SPNEGO with another mechanism (NegTokenInit)",
            "This is not Kerberos. NegoEx indicates PKU2U or a cloud account: the client found no domain. Offer Negotiate, not "
            + "Negotiate:PKU2U."),
        NegotiateTokenKind.NtlmNegotiate => ("NTLM message 1 of the client (NEGOTIATE)", "This is not Kerberos. " + ClientUsesNtlm),
        NegotiateTokenKind.NtlmChallenge => ("NTLM message 2 of the server (CHALLENGE)", "This is not Kerberos. " + ServerUsesNtlm),
        NegotiateTokenKind.NtlmAuthenticate => ("NTLM message 3 of the client (AUTHENTICATE)", "This is not Kerberos. " + ClientUsesNtlm),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "The kind of token is unknown."),
    };

    /// <summary>Returns the advice for a NegTokenResp without a Kerberos error.</summary>
    /// <param name="state">The negState of RFC 4178 §4.2.2, or null if the token has none.</param>
    /// <param name="content">The kind of the token inside; null if there is none or it is of another mechanism.</param>
    public static string GetForResponse(string? state, NegotiateTokenKind? content) => (state, content) switch
    {
        ("reject", _) =>
            "The server refused the negotiation. Its log has the reason. Common causes: the ticket is encrypted for another account (the "
                + "SPN must "
            + "be registered on the account that runs the service), or the server requires channel binding.",
        (_, NegotiateTokenKind.NtlmChallenge) => "The server continues with NTLM. " + ServerUsesNtlm,
        ("accept-completed", NegotiateTokenKind.KerberosReply) =>
            "The server accepted the ticket and proved its identity (AP-REP). Kerberos works.",
        ("accept-completed", _) =>
            "The server accepted the ticket. It did not prove its identity, because the token contains no AP-REP.",
        ("accept-incomplete", null) =>
            "The negotiation is not complete: the server expects another token, for the mechanism that it selected. This library sends its "
            + "Kerberos token in the first message, and does not continue.",
        ("accept-incomplete", _) =>
            "The negotiation is not complete: the server expects another token. Kerberos needs one message only, so the server did not "
                + "accept "
            + "the ticket yet.",
        ("request-mic", _) =>
            "The negotiation is not complete: the server expects a message integrity code for the list of mechanisms (RFC 4178 §5), "
                + "which this "
            + "library does not send.",
        (_, NegotiateTokenKind.KerberosReply) => "The server decrypted the ticket and proved its identity (AP-REP). Kerberos works.",
        _ => "The token has no state. The status code of the HTTP response shows whether the server accepted the ticket.",
    };

    /// <summary>Returns the advice for the code of a KRB-ERROR that a server sent in response to an AP-REQ (RFC 4120 §3.2.3,
    /// §7.5.9).</summary>
    public static string GetForError(int code) => code switch
    {
        31 or 41 =>
            "The server cannot decrypt the ticket: it is encrypted with another key. The SPN must be registered on the account that runs "
                + "the "
            + "service (setspn -Q, setspn -X), and the server's keytab must have the current key.",
        32 => "The ticket has expired. Get a new one, and compare the clock of this machine with the clock of the server.",
        33 => "The ticket is not valid yet. Compare the clock of the server with the clock of the KDC.",
        34 => "The server has seen this token (replay). Create a new header for each request, and check for proxies that send a request "
            + "twice.",
        35 => "The ticket is for another service. Check the SPN, and that it is registered on the account that runs the service.",
        36 => "The ticket and the authenticator name different clients. Correct the program that created the token.",
        37 =>
            "The clocks differ by more than the server allows, usually five minutes. Compare the server time above with the time of this "
            + "machine, and synchronize both with the KDC.",
        44 or 45 =>
            "The server does not have the key version of the ticket. Export the server's keytab again after a change of the account's "
                + "password.",
        60 => "The server reported a generic error. The text and the log of the server have the reason.",
        69 => "The server requires user-to-user authentication. Register the SPN on an account with its own key.",
        _ => "The server refused the ticket. Compare the clocks, then the account of the SPN with the account that runs the service.",
    };
}
