namespace KcdDelegation.Kerberos;

/// <summary>The options of an account that changes its own password (<see cref="ServiceAccount.FromRollingPasswordFile"/>).</summary>
public sealed class PasswordRollOptions
{
    internal static readonly TimeSpan MinInterval = TimeSpan.FromHours(1);
    internal static readonly TimeSpan MaxInterval = TimeSpan.FromDays(365);

    /// <summary>Gets the age at which the password is changed.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Gets the time for which old passwords are kept after a change, for tickets that were issued before. It must be longer than
    /// the lifetime of tickets.</summary>
    public TimeSpan OldKeyLifetime { get; init; } = TimeSpan.FromDays(1);
}
