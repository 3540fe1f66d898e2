using KcdDelegation.Gateway.Settings;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The settings of sessions that are in force. Immutable.</summary>
/// <param name="AbsoluteLife">The time after the sign-in at which a session ends.</param>
/// <param name="IdleLife">The time after the last request at which a session ends.</param>
/// <param name="MaxSessions">The largest number of sessions. A further sign-in is refused.</param>
/// <param name="MaxSessionsPerUser">The largest number of sessions of one user. A further sign-in ends the user's oldest session.</param>
internal sealed record SessionSettings(TimeSpan AbsoluteLife, TimeSpan IdleLife, int MaxSessions, int MaxSessionsPerUser)
{
    public static readonly SessionSettings Default = From(new SessionOptions());

    public static SessionSettings From(SessionOptions options) =>
        new(options.AbsoluteLife, options.IdleLife, options.MaxSessions, options.MaxSessionsPerUser);
}
