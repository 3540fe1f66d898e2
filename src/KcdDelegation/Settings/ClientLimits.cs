using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>The times and bounds of an engine client. The ranges are those that the engine accepts.</summary>
internal sealed record ClientLimits
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly TimeSpan Week = TimeSpan.FromDays(7);
    private static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    /// <summary>The limits of options that set none.</summary>
    public static ClientLimits Default { get; } = Parse(new KcdOptions(), new SettingsErrors("Kcd"));

    public required TimeSpan Timeout { get; init; }

    public required TimeSpan MaxClockCorrection { get; init; }

    public required TimeSpan MaxEvidenceAge { get; init; }

    public required TimeSpan MaxTicketAge { get; init; }

    public required TimeSpan MinimumRemainingLife { get; init; }

    public required TimeSpan RefreshAhead { get; init; }

    public required TimeSpan RefusalLife { get; init; }

    public required int MaxEntries { get; init; }

    public required long MaxBytes { get; init; }

    public required int MaxConcurrentExchanges { get; init; }

    public required int MaxQueuedExchanges { get; init; }

    /// <summary>Parses the options. Values outside of their range are reported.</summary>
    public static ClientLimits Parse(KcdOptions options, SettingsErrors errors)
    {
        return new ClientLimits
        {
            Timeout = Time(nameof(KcdOptions.TicketTimeout), options.TicketTimeout, Instant, Day),
            MaxClockCorrection = Time(nameof(KcdOptions.MaxClockCorrection), options.MaxClockCorrection, TimeSpan.Zero, Day),
            MaxEvidenceAge = Time(nameof(KcdOptions.MaxEvidenceAge), options.MaxEvidenceAge, Instant, Week),
            MaxTicketAge = Time(nameof(KcdOptions.MaxTicketAge), options.MaxTicketAge, Instant, Week),
            MinimumRemainingLife = Time(nameof(KcdOptions.MinimumRemainingLife), options.MinimumRemainingLife, TimeSpan.Zero, Day),
            RefreshAhead = Time(nameof(KcdOptions.RefreshAhead), options.RefreshAhead, TimeSpan.Zero, Day),
            RefusalLife = Time(nameof(KcdOptions.RefusalLife), options.RefusalLife, TimeSpan.Zero, Day),
            MaxEntries = (int)Number(nameof(KcdOptions.MaxCacheEntries), options.MaxCacheEntries, 1, int.MaxValue),
            MaxBytes = Number(nameof(KcdOptions.MaxCacheBytes), options.MaxCacheBytes, 1, long.MaxValue),
            MaxConcurrentExchanges = (int)Number(
                nameof(KcdOptions.MaxConcurrentExchanges), options.MaxConcurrentExchanges, 1, int.MaxValue),
            MaxQueuedExchanges = (int)Number(nameof(KcdOptions.MaxQueuedExchanges), options.MaxQueuedExchanges, 0, int.MaxValue),
        };

        TimeSpan Time(string key, TimeSpan value, TimeSpan min, TimeSpan max)
        {
            if (value < min || value > max)
                errors.Add(key, FormattableString.Invariant($"\"{value:c}\" is outside of the range {min:c} to {max:c}"),
                    "Write a time in this range, such as 01:00:00");
            return value;
        }

        long Number(string key, long value, long min, long max)
        {
            if (value < min || value > max)
                errors.Add(key, FormattableString.Invariant($"\"{value}\" is outside of the range {min} to {max}"),
                    "Write a number in this range");
            return value;
        }
    }

    /// <summary>Returns the options of the engine's ticket cache.</summary>
    public TicketCacheOptions ToCacheOptions() => new()
    {
        MaxEntries = MaxEntries,
        MaxBytes = MaxBytes,
        MinimumRemainingLife = MinimumRemainingLife,
        RefreshAhead = RefreshAhead,
        RefusalLife = RefusalLife,
        MaxEvidenceAge = MaxEvidenceAge,
        MaxTicketAge = MaxTicketAge,
        MaxConcurrentExchanges = MaxConcurrentExchanges,
        MaxQueuedExchanges = MaxQueuedExchanges,
    };
}
