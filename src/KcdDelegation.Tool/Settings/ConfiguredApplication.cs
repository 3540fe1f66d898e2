namespace KcdDelegation.Tool.Settings;

/// <summary>An application of the settings with its name.</summary>
internal sealed record ConfiguredApplication(string Name, DelegatedApplication Options)
{
    /// <exception cref="UsageException">The settings contain no application of this name.</exception>
    public static ConfiguredApplication Find(KcdOptions settings, string name) =>
        settings.Applications.TryGetValue(name, out var options)
            ? new ConfiguredApplication(name, options)
            : throw new UsageException(DescribeMissing(settings, name));

    /// <summary>Returns the message about an application that the settings do not contain.</summary>
    public static string DescribeMissing(KcdOptions settings, string name)
    {
        var names = string.Join(", ", settings.Applications.Keys.DefaultIfEmpty("none"));
        return $"--app: The settings do not contain the application \"{name}\". Configured applications: {names}.";
    }

    /// <summary>Returns the key of a setting of this application, for messages.</summary>
    public string GetKey(string setting) => $"Kcd:Applications:{Name}:{setting}";
}
