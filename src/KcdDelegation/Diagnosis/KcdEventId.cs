namespace KcdDelegation.Diagnosis;

/// <summary>The event numbers of this assembly.</summary>
/// <remarks>12xxx, 13xxx and 24xxx are the numbers that connectors for Integrated Windows Authentication use. The other numbers are grouped
/// by
/// stage: 1xxx token and identity, 2xxx Kerberos, 3xxx headers, 4xxx HTTP.</remarks>
internal static class KcdEventId
{
    // The token as text.
    public const int TokenTooLarge = 1001;
    public const int TokenMalformed = 1002;
    public const int TokenMembersDoubled = 1003;
    public const int TokenEncrypted = 1004;
    public const int TokenTypeRefused = 1005;
    public const int TokenCriticalExtension = 1006;
    public const int TokenAlgorithmRefused = 1007;
    public const int TokenKindWrong = 1008;

    // The token's signature.
    public const int TokenKeyUnknown = 1010;
    public const int TokenKeyRefused = 1011;
    public const int TokenSignatureWrong = 1012;
    public const int TokenKeyIssuerWrong = 1013;

    // The claims of the token.
    public const int TokenExpired = 1020;
    public const int TokenNotYetValid = 1021;
    public const int TokenIssuerWrong = 1022;
    public const int TokenTenantWrong = 1023;
    public const int TokenAudienceWrong = 1024;
    public const int GuestRefused = 1025;
    public const int ApplicationTokenRefused = 1026;
    public const int TokenAuthorizedPartyWrong = 1027;
    public const int TokenNonceWrong = 1028;
    public const int ScopeMissing = 1029;
    public const int RoleMissing = 1034;

    // The issuer's documents.
    public const int TokenNotConfigured = 1030;
    public const int IssuerUnreachable = 1031;
    public const int IssuerDocumentRefused = 1032;
    public const int SigningKeysLoaded = 1033;

    // The identity.
    public const int CallerMissing = 1040;
    public const int ClaimAmbiguous = 1041;
    public const int NameRefused = 1042;
    public const int SuffixNotListed = 1043;
    public const int BuiltInAccountRefused = 1044;
    public const int DomainNotListed = 1045;
    public const int UserRealmUnknown = 1046;
    public const int UserRealmAmbiguous = 1047;
    public const int SecurityIdentifierMissing = 1048;
    public const int AccountNotFound = 1053;
    public const int AccountNotUnique = 1054;
    public const int AccountNotDelegable = 1055;
    public const int DirectoryUnavailable = 1056;

    // The settings.
    public const int SettingsApplied = 1050;
    public const int SettingsRejected = 1051;
    public const int SettingsUnreadable = 1052;
    public const int SettingWeakens = 1060;

    // Clients of the engine. The engine itself uses 20xx to 23xx.
    public const int ClientOpened = 2401;
    public const int ClientRetired = 2402;
    public const int LogOnRecovered = 2403;
    public const int TicketsPurged = 2410;

    // HTTP.
    public const int TargetRefused = 4001;
    public const int RequestRefused = 4002;
    public const int BackendNotProven = 4003;
    public const int CertificateChanged = 4004;
    public const int SharingEnded = 4005;
    public const int FormatLearnt = 4010;
    public const int HeaderMayBeTooLarge = 4011;
    public const int RequestSentWithNewTicket = 4012;
    public const int TicketReplaced = 4013;
    public const int TicketNotReplaced = 4014;
    public const int TicketReplacedBefore = 4015;
    public const int TicketMayBeRefused = 4016;
    public const int HttpVersionRefused = 4030;
    public const int HttpVersionNotAccepted = 4031;

    // Connections to backends.
    public const int UsersNearLimit = 4020;
    public const int UserLimitReached = 4021;
    public const int ConnectionLimitReached = 4022;
    public const int ChannelBindingUndefined = 4023;
    public const int ChannelBindingRequired = 4024;

    /// <summary>Too many requests are waiting for the KDCs.</summary>
    public const int TooManyAttempts = 12008;

    /// <summary>The delegating account has no credentials, or no KDC can be reached.</summary>
    public const int NoCredentials = 12027;

    /// <summary>The caller has no identity that can be delegated.</summary>
    public const int NoIdentity = 13016;

    /// <summary>There is no ticket for this user or service.</summary>
    public const int NoTicket = 13019;

    /// <summary>No service principal name is configured.</summary>
    public const int NoServicePrincipalName = 13020;

    /// <summary>The backend refused the ticket, or answered 401 to a request without one.</summary>
    public const int TicketRefused = 13022;

    /// <summary>The identity that is delegated, logged at the level Debug.</summary>
    public const int IdentityUsed = 24029;
}
