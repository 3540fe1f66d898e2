using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>The events of the ticket cache, 23xx. User names are never logged.</summary>
internal static partial class TicketCacheLog
{
    [LoggerMessage(2301, LogLevel.Debug, "A ticket in use could not be renewed ahead of its end and stays in use: {Reason}")]
    public static partial void RefreshFailed(ILogger logger, string reason);

    [LoggerMessage(2302, LogLevel.Error, "An exchange failed in a way that no KDC can cause")]
    public static partial void ExchangeFaulted(ILogger logger, Exception exception);

    [LoggerMessage(2207, LogLevel.Information, "This machine's clock was set: the offset of {Offset} from the KDC's clock, which was learnt before, is forgotten")]
    public static partial void ClockWasSet(ILogger logger, TimeSpan offset);
}
