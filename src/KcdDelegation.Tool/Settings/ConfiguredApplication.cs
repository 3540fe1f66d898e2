namespace KcdDelegation.Tool.Settings;

/// <summary>An application of the settings, and the name that it has there.</summary>
internal sealed record ConfiguredApplication(string Name, DelegatedApplication Options)
{
    /// <exception cref="UsageException">The settings have none of that name.</exception>
    public static ConfiguredApplication Find(KcdOptions settings, string name) =>
        settings.Applications.TryGetValue(name, out var options)
            ? new ConfiguredApplication(name, options)
            : throw new UsageException($"--app: the settings have no application of that name; they have {string.Join(", ", settings.Applications.Keys.DefaultIfEmpty("none"))}.");

    /// <summary>Where a setting of it stands, for messages.</summary>
    public string Key(string setting) => $"Kcd:Applications:{Name}:{setting}";
}
