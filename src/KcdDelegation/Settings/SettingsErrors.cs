using KcdDelegation.Diagnosis;

namespace KcdDelegation.Settings;

/// <summary>Collects the errors of options, each with the configuration key, the problem and the remedy, to report all of them
/// together.</summary>
internal sealed class SettingsErrors(string section)
{
    private readonly List<string> _all = [];

    public IReadOnlyList<string> All => _all;

    public string Key(string key) => $"{section}:{PrintableText.From(key)}";

    public void Add(string key, string problem, string remedy)
    {
        var error = $"{Key(key)} {problem}. {remedy}.";
        if (!_all.Contains(error, StringComparer.Ordinal))
            _all.Add(error);
    }
}
