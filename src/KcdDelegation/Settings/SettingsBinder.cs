using System.Collections;
using System.Reflection;
using KcdDelegation.Diagnosis;
using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Settings;

/// <summary>Sets options from a section of a configuration, and reports every unknown key and every value that cannot be read.</summary>
/// <remarks>The platform's binder stops at the first error, and its exception has neither the key nor the value. It also ignores a list
/// that is written as one value.</remarks>
internal sealed class SettingsBinder
{
    private const string ConventionalSection = "Kcd";

    private readonly IReadOnlyList<OptionsType> _types;
    private readonly SettingsErrors _errors;
    private readonly string? _otherSection;

    private SettingsBinder(IReadOnlyList<OptionsType> types, SettingsErrors errors, string? otherSection = null) =>
        (_types, _errors, _otherSection) = (types, errors, otherSection);

    /// <summary>Sets the options. Errors are kept with them and reported with those of <see cref="SettingsParser"/>.</summary>
    public static void Bind(IConfiguration configuration, KcdOptions options)
    {
        options.Section = configuration is IConfigurationSection { Path: var path } ? path : "";
        options.IsSectionEmpty = !configuration.GetChildren().Any();
        var errors = new SettingsErrors(options.Section);
        if (options.Section.Length == 0 && HasChildren(configuration.GetSection(ConventionalSection)))
            errors.AddForAll($"The whole configuration was passed instead of its section {ConventionalSection}. "
                + $"Pass configuration.GetSection(\"{ConventionalSection}\").");
        else
            new SettingsBinder(OptionsType.All, errors).BindOptions(configuration, options, OptionsType.All[0], key: "");
        options.BindingErrors = [.. options.BindingErrors, .. errors.All];
    }

    /// <summary>Sets the options of a host that has its own types of options.</summary>
    /// <param name="configuration">The configuration, or its section.</param>
    /// <param name="options">The options, of the first type.</param>
    /// <param name="types">The types of options, the outermost first.</param>
    /// <param name="errors">The errors, to which those of this method are added.</param>
    /// <param name="otherSection">The section that is bound elsewhere.</param>
    public static void Bind(
        IConfiguration configuration, object options, IReadOnlyList<OptionsType> types, SettingsErrors errors, string otherSection) =>
        new SettingsBinder(types, errors, otherSection).BindOptions(configuration, options, types[0], key: "");

    private void BindOptions(IConfiguration section, object options, OptionsType type, string key)
    {
        foreach (var child in section.GetChildren())
        {
            if (key.Length == 0 && string.Equals(child.Key, _otherSection, StringComparison.OrdinalIgnoreCase))
                continue;
            if (type.FindSetting(child.Key) is { } setting)
                BindSetting(child, options, setting, GetKey(key, setting.Name));
            else
                _errors.Add(GetKey(key, child.Key), "is not a known setting", UnknownKey.GetRemedy(child.Key, type, _types, _errors));
        }
    }

    private void BindSetting(IConfigurationSection section, object options, PropertyInfo setting, string key)
    {
        if (OptionsType.Find(setting.PropertyType, _types) is { } nested)
            BindNested(section, nested, () => GetOrCreate(options, setting, nested), key);
        else if (setting.GetValue(options) is IDictionary entries)
            BindEntries(section, entries, setting.PropertyType.GetGenericArguments()[1], key);
        else if (setting.GetValue(options) is IList items)
            BindItems(section, items, setting.PropertyType.GetGenericArguments()[0], key);
        else
            BindValue(section, options, setting, key);
    }

    private void BindNested(IConfigurationSection section, OptionsType type, Func<object> getOptions, string key)
    {
        // The value is not shown: it may be a secret in the position of its file.
        if (HasValue(section))
            _errors.Add(key, "has a value, but it is a group of settings",
                $"Write the settings below it: {string.Join(", ", type.Settings.Select(setting => setting.Name))}");
        else if (HasChildren(section))
            BindOptions(section, getOptions(), type, key);
    }

    private void BindEntries(IConfigurationSection section, IDictionary entries, Type type, string key)
    {
        if (HasValue(section))
            _errors.Add(key, "has a value, but it is a group of entries", $"Write each entry below it, as {_errors.Key($"{key}:NAME")}");
        foreach (var child in section.GetChildren())
        {
            var childKey = GetKey(key, child.Key);
            if (OptionsType.Find(type, _types) is { } nested)
            {
                var entry = entries[child.Key] ??= nested.Create();
                BindNested(child, nested, () => entry, childKey);
            }
            else if (type == typeof(IList<string>))
            {
                var list = new List<string>();
                entries[child.Key] = list;
                BindItems(child, list, typeof(string), childKey);
            }
            else if (ReadValue(child, type, example: null, childKey) is { } value)
                entries[child.Key] = value;
        }
    }

    private void BindItems(IConfigurationSection section, IList items, Type type, string key)
    {
        if (HasValue(section))
            _errors.Add(key, "has a value, but it is a list",
                $"Write [ \"value\" ] in JSON, or the first value as {_errors.Key($"{key}:0")}");
        foreach (var child in section.GetChildren())
        {
            var childKey = GetKey(key, child.Key);
            if (OptionsType.Find(type, _types) is { } nested)
            {
                var entry = nested.Create();
                items.Add(entry);
                BindNested(child, nested, () => entry, childKey);
            }
            else if (ReadValue(child, type, example: null, childKey) is { } value)
                items.Add(value);
        }
    }

    private void BindValue(IConfigurationSection section, object options, PropertyInfo setting, string key)
    {
        var type = setting.PropertyType;
        var isNull = section.Value is null && !HasChildren(section);
        if (isNull && (!type.IsValueType || Nullable.GetUnderlyingType(type) is not null))
            setting.SetValue(options, null);
        else if (!isNull && ReadValue(section, type, setting.GetValue(options), key) is { } value)
            setting.SetValue(options, value);
    }

    /// <summary>Returns the value of a section, or null after an error has been reported.</summary>
    private object? ReadValue(IConfigurationSection section, Type type, object? example, string key)
    {
        if (HasChildren(section))
        {
            _errors.Add(key, "is a group or a list, but it has one value", "Write the value without braces and brackets");
            return null;
        }
        if (SettingValue.TryConvert(type, section.Value ?? "", out var value))
            return value;
        var (expected, remedy) = SettingValue.Describe(type, example);
        _errors.Add(key, $"{QuoteValue(section.Value, type)} is not {expected}", remedy);
        return null;
    }

    private static object GetOrCreate(object options, PropertyInfo setting, OptionsType type)
    {
        if (setting.GetValue(options) is { } existing)
            return existing;
        var created = type.Create();
        setting.SetValue(options, created);
        return created;
    }

    /// <summary>Quotes a wrong value. An address with an @ may contain a password and is not shown.</summary>
    private static string QuoteValue(string? value, Type type) =>
        type == typeof(Uri) && value?.Contains('@', StringComparison.Ordinal) == true ? "The value" : PrintableText.Quoted(value);

    private static bool HasChildren(IConfigurationSection section) => section.GetChildren().Any();

    private static bool HasValue(IConfigurationSection section) => !string.IsNullOrEmpty(section.Value);

    private static string GetKey(string section, string key) => section.Length == 0 ? key : $"{section}:{key}";
}
