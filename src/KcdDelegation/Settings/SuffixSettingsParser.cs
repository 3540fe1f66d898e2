using System.Collections.Frozen;
using KcdDelegation.Diagnosis;
using KcdDelegation.Identity;

namespace KcdDelegation.Settings;

/// <summary>The parser of the suffixes of user principal names: the realm of each, and the suffixes that the directory has in place of
/// those of tokens.</summary>
internal sealed class SuffixSettingsParser(KcdOptions options, SettingsErrors errors)
{
    private readonly Dictionary<string, string> _realms = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _rewritten = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Parses the suffixes of all realms, without those that have an error.</summary>
    public (FrozenDictionary<string, string> Realms, FrozenDictionary<string, string> Rewritten) Parse()
    {
        foreach (var (realm, settings) in options.Realms)
        {
            for (var i = 0; i < (settings?.UserPrincipalSuffixes.Count ?? 0); i++)
            {
                var (suffix, key) = (settings!.UserPrincipalSuffixes[i], $"Realms:{realm}:UserPrincipalSuffixes:{i}");
                if (IsSuffix(suffix, key) && !_realms.TryAdd(suffix, realm))
                    AddListedTwice(suffix, key);
            }
        }
        foreach (var (realm, settings) in options.Realms)
        {
            foreach (var (from, to) in settings?.RewriteSuffixes ?? new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase))
                ParseRewrite(realm, from, to);
        }
        foreach (var (from, to) in _rewritten.Where(entry => _rewritten.ContainsKey(entry.Value)))
            errors.Add($"Realms:{_realms[from]}:RewriteSuffixes:{from}", $"is {PrintableText.Quoted(to)}, which is rewritten too",
                "Write the suffix that the directory has. A suffix is rewritten once");
        return (
            _realms.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase), _rewritten.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase));
    }

    /// <summary>Parses one rewritten suffix. Both suffixes belong to the realm: the users of both have their accounts there.</summary>
    private void ParseRewrite(string realm, string from, string? to)
    {
        var key = $"Realms:{realm}:RewriteSuffixes:{from}";
        if (!IsSuffix(from, key) || !IsSuffix(to, key))
            return;
        foreach (var suffix in (string[])[from, to!])
        {
            if (!_realms.TryAdd(suffix, realm) && !string.Equals(_realms[suffix], realm, StringComparison.OrdinalIgnoreCase))
            {
                AddListedTwice(suffix, key);
                return;
            }
        }
        _rewritten[from] = to!;
    }

    private bool IsSuffix(string? suffix, string key)
    {
        if (NameRules.FindSuffixViolation(suffix ?? "") is not { } why)
            return true;
        errors.Add(key, $"{PrintableText.Quoted(suffix)} is not a suffix: {why}", "Write the part after the @, such as eu.contoso.com");
        return false;
    }

    private void AddListedTwice(string suffix, string key) => errors.Add(
        key, $"lists {suffix} again, which is listed under {_realms[suffix]}",
        "List a suffix under one realm only: the same name in two realms belongs to two people");
}
