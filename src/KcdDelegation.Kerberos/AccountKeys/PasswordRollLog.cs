using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Events 202x: the password that the account changes itself. Passwords are never logged.</summary>
internal static partial class PasswordRollLog
{
    [LoggerMessage(2021, LogLevel.Information, "The password of {Account} was changed at {Realm} and confirmed by a log-on. "
        + "It is changed again in {Interval}")]
    public static partial void Changed(ILogger logger, string account, string realm, TimeSpan interval);

    [LoggerMessage(2022, LogLevel.Warning, "The change of the password of {Account} at {Realm} failed. {Reason}. "
        + "It is tried again in {Wait}")]
    public static partial void Failed(ILogger logger, string account, string realm, string reason, TimeSpan wait);

    [LoggerMessage(2023, LogLevel.Warning, "A change of the password of {Account} was interrupted and is continued. "
        + "The KDC may have the current or the pending password")]
    public static partial void Continued(ILogger logger, string account);

    [LoggerMessage(2024, LogLevel.Warning, "The KDC rejected the {Rejected} password of {Account}. The {Tried} one is tried, "
        + "because a change was interrupted or has not reached every KDC yet")]
    public static partial void OtherTried(ILogger logger, string account, string rejected, string tried);

    [LoggerMessage(2025, LogLevel.Debug, "The password of {Account} is being changed by another process or client")]
    public static partial void ClaimedElsewhere(ILogger logger, string account);
}
