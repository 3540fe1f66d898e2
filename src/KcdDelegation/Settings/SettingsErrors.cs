using KcdDelegation.Diagnosis;

namespace KcdDelegation.Settings;

/// <summary>Collects what is wrong with options: the configuration key, the problem, the remedy. All of it is reported at once.</summary>
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
