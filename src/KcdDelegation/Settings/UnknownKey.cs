namespace KcdDelegation.Settings;

/// <summary>The remedy for a key that no setting has: the nearest known key.</summary>
internal static class UnknownKey
{
    // A longer key is not a misspelt one. The bound also limits the work for a hostile configuration.
    private const int MaxLength = 64;

    /// <summary>Returns the remedy for a key below a section.</summary>
    /// <param name="key">The key without its section.</param>
    /// <param name="type">The type of the options that the section sets.</param>
    /// <param name="types">All types of options.</param>
    /// <param name="errors">The errors, for the complete keys of other sections.</param>
    public static string GetRemedy(string key, OptionsType type, IReadOnlyList<OptionsType> types, SettingsErrors errors)
    {
        if (types.FirstOrDefault(other => other.FindSetting(key) is not null) is { } owner)
        {
            var name = owner.FindSetting(key)!.Name;
            return $"The known setting of this name is {errors.Key(owner.Section.Length == 0 ? name : $"{owner.Section}:{name}")}. "
                + "Move the value there, or remove the key";
        }
        var names = type.Settings.Select(setting => setting.Name).ToList();
        return FindNearest(key, names) is { } nearest
            ? $"The nearest known setting is {nearest}. Correct the key, or remove it"
            : $"Known settings are {string.Join(", ", names)}. Correct the key, or remove it";
    }

    /// <summary>Returns the name with the fewest differences, or null if a third of it or more would have to change.</summary>
    private static string? FindNearest(string key, IReadOnlyList<string> names)
    {
        if (key.Length is 0 or > MaxLength)
            return null;
        var nearest = names.MinBy(name => CountDifferences(key, name))!;
        if (CountDifferences(key, nearest) * 3 <= Math.Max(key.Length, nearest.Length))
            return nearest;
        return key.Length >= 3 ? names.FirstOrDefault(name => name.Contains(key, StringComparison.OrdinalIgnoreCase)) : null;
    }

    /// <summary>Counts the characters to insert, remove, replace or exchange with their neighbour, without regard to case.</summary>
    private static int CountDifferences(string first, string second)
    {
        var rows = new int[first.Length + 1, second.Length + 1];
        for (var i = 0; i <= first.Length; i++)
        {
            for (var j = 0; j <= second.Length; j++)
                rows[i, j] = i == 0 || j == 0 ? i + j : Count(i, j);
        }
        return rows[first.Length, second.Length];

        int Count(int i, int j)
        {
            var count = Math.Min(
                Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1, rows[i - 1, j - 1] + (AreEqual(first[i - 1], second[j - 1]) ? 0 : 1));
            var isExchange = i > 1 && j > 1 && AreEqual(first[i - 1], second[j - 2]) && AreEqual(first[i - 2], second[j - 1]);
            return isExchange ? Math.Min(count, rows[i - 2, j - 2] + 1) : count;
        }
    }

    private static bool AreEqual(char first, char second) => char.ToUpperInvariant(first) == char.ToUpperInvariant(second);
}
