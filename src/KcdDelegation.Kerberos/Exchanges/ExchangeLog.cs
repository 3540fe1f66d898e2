using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The events of the exchanges, 22xx. User names are never logged, so details of a rejected reply are in exceptions only.</summary>
internal static partial class ExchangeLog
{
    [LoggerMessage(2201, LogLevel.Information, "{Account} logged on at {Realm}; the ticket ends at {EndTime:u}")]
    public static partial void LoggedOn(ILogger logger, string account, string realm, DateTimeOffset endTime);

    [LoggerMessage(2202, LogLevel.Warning, "The KDC of {Realm} is {Offset} from this machine's clock, which is corrected for; set both by NTP")]
    public static partial void ClockCorrected(ILogger logger, TimeSpan offset, string realm);

    [LoggerMessage(2203, LogLevel.Warning, "The KDC of {Realm} gave {Account} a ticket that may not be delegated: the account may not use protocol transition, or the user may not be delegated. Most KDCs refuse the next step")]
    public static partial void EvidenceNotForwardable(ILogger logger, string account, string realm);

    [LoggerMessage(2204, LogLevel.Information, "The KDC of {Realm} no longer takes a ticket that was cached ({Code}); asking for new ones")]
    public static partial void CachedTicketRefused(ILogger logger, string realm, KerberosErrorCode? code);

    [LoggerMessage(2205, LogLevel.Information, "A user principal name led to an account with another SAM name; the account has the SID {SecurityIdentifier}")]
    public static partial void EnterpriseNameOfAnotherAccount(ILogger logger, string securityIdentifier);

    [LoggerMessage(2206, LogLevel.Warning, "This system refuses MD5 (FIPS mode). Users are named to KDCs by PA-S4U-X509-USER alone, which Heimdal and Samba cannot read; tokens carry no channel binding, so backends that insist on one refuse them")]
    public static partial void Md5Refused(ILogger logger);
}
