namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of the sessions of browsers.</summary>
internal sealed class SessionOptions
{
    /// <summary>Gets or sets the time after the sign-in at which a session ends.</summary>
    public TimeSpan AbsoluteLife { get; set; } = TimeSpan.FromHours(8);

    /// <summary>Gets or sets the time after the last request at which a session ends.</summary>
    public TimeSpan IdleLife { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the largest number of sessions. Above it, sign-ins are refused.</summary>
    public int MaxSessions { get; set; } = 100_000;

    /// <summary>Gets or sets the largest number of sessions of one user. Above it, the user's oldest session ends.</summary>
    public int MaxSessionsPerUser { get; set; } = 100;
}
