using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Events 22xx: the exchanges. User names are never logged, so the details of a rejected reply are in exceptions only.</summary>
internal static partial class ExchangeLog
{
    [LoggerMessage(2201, LogLevel.Information, "{Account} logged on at {Realm}; the ticket ends at {EndTime:u}")]
    public static partial void LoggedOn(ILogger logger, string account, string realm, DateTimeOffset endTime);

    [LoggerMessage(2202, LogLevel.Warning, "The clock of {Realm}'s KDC differs from this machine's by {Offset}, "
        + "which is corrected. Synchronize both clocks by NTP")]
    public static partial void ClockCorrected(ILogger logger, TimeSpan offset, string realm);

    [LoggerMessage(2203, LogLevel.Warning, "The KDC of {Realm} gave {Account} a ticket that is not forwardable: "
        + "the account may not use protocol transition, or the user may not be delegated. "
        + "Most KDCs refuse the next step")]
    public static partial void EvidenceNotForwardable(ILogger logger, string account, string realm);

    [LoggerMessage(2204, LogLevel.Information, "The KDC of {Realm} no longer accepts a cached ticket ({Code}). New tickets are requested")]
    public static partial void CachedTicketRefused(ILogger logger, string realm, KerberosErrorCode? code);

    [LoggerMessage(2205, LogLevel.Information, "A user principal name belongs to an account with another SAM name. "
        + "The account has the SID {SecurityIdentifier}")]
    public static partial void EnterpriseNameOfAnotherAccount(ILogger logger, string securityIdentifier);

    [LoggerMessage(2206, LogLevel.Warning, "This system refuses MD5 (FIPS mode). "
        + "Requests name users by PA-S4U-X509-USER only, which Heimdal and Samba cannot read. "
        + "Tokens have no channel binding, so backends that require one refuse them")]
    public static partial void Md5Refused(ILogger logger);
}
