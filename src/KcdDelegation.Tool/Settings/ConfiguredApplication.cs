namespace KcdDelegation.Tool.Settings;

/// <summary>An application of the settings with its name.</summary>
internal sealed record ConfiguredApplication(string Name, DelegatedApplication Options)
{
    /// <exception cref="UsageException">The settings contain no application of this name.</exception>
    public static ConfiguredApplication Find(KcdOptions settings, string name)
    {
        if (settings.Applications.TryGetValue(name, out var options))
            return new ConfiguredApplication(name, options);
        var names = string.Join(", ", settings.Applications.Keys.DefaultIfEmpty("none"));
        throw new UsageException($"--app: The settings do not contain the application \"{name}\". Configured applications: {names}.");
    }

    /// <summary>Returns the key of a setting of this application, for messages.</summary>
    public string GetKey(string setting) => $"Kcd:Applications:{Name}:{setting}";
}
