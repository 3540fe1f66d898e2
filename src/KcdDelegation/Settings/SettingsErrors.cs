using KcdDelegation.Diagnosis;

namespace KcdDelegation.Settings;

/// <summary>An error of a setting.</summary>
/// <param name="Key">The key of the setting, relative to the section.</param>
/// <param name="Text">The complete key, the problem and the remedy.</param>
internal sealed record SettingsError(string Key, string Text);

/// <summary>Collects the errors of options, each with the configuration key, the problem and the remedy, to report all of them
/// together.</summary>
internal sealed class SettingsErrors
{
    private readonly string _section;
    private readonly IReadOnlyList<SettingsError> _binding;
    private readonly List<SettingsError> _all;

    /// <param name="section">The path of the section; empty if the settings are at the root of the configuration.</param>
    /// <param name="binding">The errors of the keys and values of the configuration, which are reported first.</param>
    public SettingsErrors(string section, IReadOnlyList<SettingsError>? binding = null)
    {
        (_section, _binding) = (section, binding ?? []);
        _all = [.. _binding];
    }

    public IReadOnlyList<SettingsError> All => _all;

    /// <summary>Returns the complete key of a setting.</summary>
    public string Key(string key) => _section.Length == 0 ? PrintableText.From(key) : $"{_section}:{PrintableText.From(key)}";

    /// <summary>Adds an error, unless it follows from a value that could not be read at all.</summary>
    public void Add(string key, string problem, string remedy)
    {
        var error = new SettingsError(key, $"{Key(key)} {problem}. {remedy}.");
        if (!_binding.Any(earlier => Covers(earlier.Key, key)) && !_all.Contains(error))
            _all.Add(error);
    }

    /// <summary>Adds an error of the settings as a whole, of which all others are consequences.</summary>
    public void AddForAll(string text) => _all.Add(new SettingsError("", text));

    private static bool Covers(string section, string key) =>
        section.Length == 0
        || (key.StartsWith(section, StringComparison.OrdinalIgnoreCase) && (key.Length == section.Length || key[section.Length] == ':'));
}
