namespace KcdDelegation.AspNetCore;

/// <summary>The settings of the health checks.</summary>
public sealed class KcdHealthOptions
{
    /// <summary>Gets or sets the user who must get a ticket to every application; null: no ticket is requested.</summary>
    /// <remarks>A name with <c>@</c> is a user principal name. Other names are accounts of the application's user realm. Use an account
    /// without any rights.</remarks>
    public string? ProbeUser { get; set; }

    /// <summary>Gets the probe users of single applications, by the application's name. They take precedence over
    /// <see cref="ProbeUser"/>.</summary>
    public IDictionary<string, string> ProbeUsers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets or sets the largest offset between the KDC's clock and this machine's clock.</summary>
    /// <remarks>Kerberos services accept five minutes by default. The check fails earlier, while there is time to correct it.</remarks>
    public TimeSpan MaxClockOffset { get; set; } = TimeSpan.FromMinutes(2);
}
