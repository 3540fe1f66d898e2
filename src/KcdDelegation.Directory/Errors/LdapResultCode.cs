namespace KcdDelegation.DirectoryServices.Errors;

/// <summary>The result codes of RFC 4511 Appendix A that the client distinguishes, each with its meaning and remedy.</summary>
internal static class LdapResultCode
{
    public const int Success = 0;
    public const int OperationsError = 1;
    public const int TimeLimitExceeded = 3;
    public const int SizeLimitExceeded = 4;
    public const int StrongerAuthRequired = 8;
    public const int Referral = 10;
    public const int AdminLimitExceeded = 11;
    public const int UnavailableCriticalExtension = 12;
    public const int ConfidentialityRequired = 13;
    public const int SaslBindInProgress = 14;
    public const int NoSuchAttribute = 16;
    public const int NoSuchObject = 32;
    public const int InvalidDnSyntax = 34;
    public const int InvalidCredentials = 49;
    public const int InsufficientAccessRights = 50;
    public const int Busy = 51;
    public const int Unavailable = 52;
    public const int UnwillingToPerform = 53;

    /// <summary>Returns the name of a code as in the RFC.</summary>
    public static string GetName(int code) => code switch
    {
        OperationsError => "operationsError",
        TimeLimitExceeded => "timeLimitExceeded",
        SizeLimitExceeded => "sizeLimitExceeded",
        StrongerAuthRequired => "strongerAuthRequired",
        Referral => "referral",
        AdminLimitExceeded => "adminLimitExceeded",
        UnavailableCriticalExtension => "unavailableCriticalExtension",
        ConfidentialityRequired => "confidentialityRequired",
        SaslBindInProgress => "saslBindInProgress",
        NoSuchAttribute => "noSuchAttribute",
        NoSuchObject => "noSuchObject",
        InvalidDnSyntax => "invalidDNSyntax",
        InvalidCredentials => "invalidCredentials",
        InsufficientAccessRights => "insufficientAccessRights",
        Busy => "busy",
        Unavailable => "unavailable",
        UnwillingToPerform => "unwillingToPerform",
        _ => "result",
    };

    /// <summary>Returns the sentence that tells the administrator what to do.</summary>
    /// <param name="code">The code.</param>
    /// <param name="diagnostic">The server's text. Active Directory adds the cause of a refused log-on as <c>data XXX</c>.</param>
    public static string GetRemedy(int code, string diagnostic) => code switch
    {
        OperationsError => "Active Directory answers so to searches of a connection that is not authenticated or not encrypted. Read the "
            + "server's text in the message",
        TimeLimitExceeded or AdminLimitExceeded => "Narrow the search: use an indexed attribute and a smaller base",
        SizeLimitExceeded => "Use paging (PageSize), or narrow the search",
        StrongerAuthRequired or ConfidentialityRequired => "The server requires signing or TLS. This client always seals or uses TLS, so "
            + "check whether the server requires channel binding: use TLS then (UseTls)",
        Referral => "The entry is in another domain. Referrals are not followed: configure a server of that domain",
        UnavailableCriticalExtension => "The server does not support a control of the search. Set PageSize to 0",
        NoSuchObject or InvalidDnSyntax => "Correct the base of the search. It must exist on this server",
        InvalidCredentials => GetLogOnRemedy(diagnostic),
        InsufficientAccessRights => "Give the reader the right to read these attributes",
        Busy or Unavailable => "Try again, or configure another server",
        UnwillingToPerform => "Read the server's text in the message. Some servers refuse an operation on connections without encryption",
        _ => "Read the server's text in the message and its log",
    };

    /// <summary>Returns the remedy of a refused bind by the Windows error in Active Directory's text.</summary>
    private static string GetLogOnRemedy(string diagnostic)
    {
        if (Has("52e"))
            return "The server does not accept the ticket: its key or its service principal name differs, or it requires channel binding";
        if (Has("533"))
            return "Enable the reader's account";
        if (Has("775"))
            return "Unlock the reader's account";
        if (Has("532") || Has("773"))
            return "Renew the reader's password and its keytab";
        if (Has("701"))
            return "The reader's account has expired: extend it";
        return Has("80090346")
            ? "The server requires channel binding and did not accept this one. Check whether a device inspects TLS between this machine "
                + "and the server"
            : "The server does not accept the ticket. Check that its key and the service principal name ldap/HOST belong to the same "
                + "account";

        bool Has(string code) =>
            diagnostic.Contains($"data {code}", StringComparison.OrdinalIgnoreCase)
            || (code.Length == 8 && diagnostic.StartsWith(code, StringComparison.OrdinalIgnoreCase));
    }
}
