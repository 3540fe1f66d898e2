namespace KcdDelegation.Settings;

/// <summary>The bounds of an application's connections.</summary>
/// <param name="MaxUsers">The number of users who have connections at a time. If users share connections, the number of
/// connections.</param>
/// <param name="MaxConnectionsPerUser">The number of connections that one user uses at a time.</param>
/// <param name="MaxWait">How long a request waits for one of both.</param>
internal sealed record ConnectionLimits(int MaxUsers, int MaxConnectionsPerUser, TimeSpan MaxWait)
{
    public static ConnectionLimits Default { get; } = new(
        KcdOptions.DefaultMaxUsers, KcdOptions.DefaultMaxConnectionsPerUser, KcdOptions.DefaultMaxConnectionWait);
}
