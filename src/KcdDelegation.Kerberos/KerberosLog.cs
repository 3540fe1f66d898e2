using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos;

/// <summary>The events of the engine, 2xxx: 20xx keys of the account, 21xx transport to the KDCs, 22xx exchanges, 23xx cache. User names and
/// secrets are in none of them, so what was found wrong with a reply is in exceptions only.</summary>
internal static partial class KerberosLog
{
    [LoggerMessage(2001, LogLevel.Debug, "The keys of {Account} were read from {Path} (version {Version})")]
    public static partial void KeyFileRead(ILogger logger, string path, string account, long version);

    [LoggerMessage(2002, LogLevel.Warning, "The key file {Path} changed but cannot be used, the keys read before stay in use: {Reason}")]
    public static partial void KeyFileKept(ILogger logger, string path, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "The key file {Path} can be read or changed by others (mode {Mode}): whoever reads it can act as the account. Make it 0600")]
    public static partial void KeyFileOpenToOthers(ILogger logger, string path, string mode);

    [LoggerMessage(2101, LogLevel.Debug, "The KDC {Kdc} of {Realm} answered in {Milliseconds} ms")]
    public static partial void KdcAnswered(ILogger logger, KdcEndpoint kdc, string realm, double milliseconds);

    [LoggerMessage(2102, LogLevel.Warning, "The KDC {Kdc} of {Realm} {Reason}; others are asked first until it answers again")]
    public static partial void KdcFailed(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2103, LogLevel.Debug, "The KDC {Kdc} of {Realm} failed again: it {Reason}")]
    public static partial void KdcStillFails(ILogger logger, KdcEndpoint kdc, string realm, string reason);

    [LoggerMessage(2104, LogLevel.Information, "The KDC {Kdc} of {Realm} answers again")]
    public static partial void KdcIsBack(ILogger logger, KdcEndpoint kdc, string realm);

    [LoggerMessage(2105, LogLevel.Debug, "The KDC {Kdc} did not answer over UDP, TCP is used")]
    public static partial void KdcSilentOverUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2106, LogLevel.Debug, "The answer of {Kdc} is too big for UDP, TCP is used")]
    public static partial void KdcAnswerTooBigForUdp(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2107, LogLevel.Debug, "A datagram from {Kdc} was ignored: it is not the answer to the request")]
    public static partial void KdcReplyRejected(ILogger logger, KdcEndpoint kdc);

    [LoggerMessage(2108, LogLevel.Debug, "DNS names {Count} KDCs of {Realm}")]
    public static partial void KdcsFoundInDns(ILogger logger, int count, string realm);

    [LoggerMessage(2109, LogLevel.Warning, "DNS could not be asked for the KDCs of {Realm}, those found before stay in use: the name server {Reason}")]
    public static partial void DnsFailed(ILogger logger, string realm, string reason);

    [LoggerMessage(2110, LogLevel.Warning, "{Path} cannot be used beyond what was read of it: {Reason}")]
    public static partial void Krb5ConfigurationIgnored(ILogger logger, string path, string reason);

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

    [LoggerMessage(2207, LogLevel.Information, "This machine's clock was set: the offset of {Offset} from the KDC's clock, which was learnt before, is forgotten")]
    public static partial void ClockWasSet(ILogger logger, TimeSpan offset);

    [LoggerMessage(2301, LogLevel.Debug, "A ticket in use could not be renewed ahead of its end and stays in use: {Reason}")]
    public static partial void RefreshFailed(ILogger logger, string reason);

    [LoggerMessage(2302, LogLevel.Error, "An exchange failed in a way that no KDC can cause")]
    public static partial void ExchangeFaulted(ILogger logger, Exception exception);
}
