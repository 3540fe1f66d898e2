namespace KcdDelegation.DirectoryServices;

/// <summary>The answer for callers while the directory cannot be asked.</summary>
public enum DirectoryOutage
{
    /// <summary>The caller is refused.</summary>
    Refuse,

    /// <summary>An account that was found before is used, until <see cref="DirectoryIdentityOptions.MaxStaleAge"/>. Others are
    /// refused.</summary>
    UseCache,
}

/// <summary>The options of a <see cref="DirectoryIdentityMapper"/>.</summary>
public sealed class DirectoryIdentityOptions
{
    /// <summary>Gets or sets how long an account is used before the directory is asked again. A user who was disabled is mapped for this
    /// time.</summary>
    public TimeSpan CacheTime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets or sets the largest number of accounts in the cache. The oldest ones are removed first.</summary>
    public int MaxCacheEntries { get; set; } = 10_000;

    /// <summary>Gets or sets the answer while the directory cannot be asked.</summary>
    public DirectoryOutage WhenUnavailable { get; set; }

    /// <summary>Gets or sets the greatest age of an account that is used while the directory cannot be asked.</summary>
    public TimeSpan MaxStaleAge { get; set; } = TimeSpan.FromHours(1);
}
