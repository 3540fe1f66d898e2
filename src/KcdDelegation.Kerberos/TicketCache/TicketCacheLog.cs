using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.TicketCache;

/// <summary>Events 23xx: the ticket cache. User names are never logged.</summary>
internal static partial class TicketCacheLog
{
    [LoggerMessage(2301, LogLevel.Debug, "A ticket could not be renewed before its end and stays in use. Reason: {Reason}")]
    public static partial void RefreshFailed(ILogger logger, string reason);

    [LoggerMessage(2302, LogLevel.Error, "An exchange failed for a reason that is not the KDC's")]
    public static partial void ExchangeFaulted(ILogger logger, Exception exception);

    [LoggerMessage(2303, LogLevel.Warning, "A ticket lives only {Life}. MinimumRemainingLife is {MinimumRemainingLife}, so tickets of this "
        + "lifetime are used until {Margin} before their end. Raise the ticket lifetime at the KDC, or lower MinimumRemainingLife")]
    public static partial void ShortLife(ILogger logger, TimeSpan life, TimeSpan minimumRemainingLife, TimeSpan margin);

    [LoggerMessage(2207, LogLevel.Information, "This machine's clock was set. The learned offset {Offset} of the KDC's clock is discarded")]
    public static partial void ClockWasSet(ILogger logger, TimeSpan offset);
}
