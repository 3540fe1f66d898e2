using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace KcdDelegation.Settings;

/// <summary>A type of options with its settings, which are bound by name.</summary>
/// <remarks>The types are listed here, so that trimming keeps their properties. A new property of a listed type is a setting without
/// further code. A test checks that <see cref="SettingValue"/> or <see cref="SettingsBinder"/> can set it.</remarks>
internal sealed class OptionsType
{
    private const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor;

    private readonly Type _type;
    private readonly Func<object> _create;

    private OptionsType(Type type, string section, Func<object> create, PropertyInfo[] settings)
    {
        (_type, Section, _create) = (type, section, create);
        Settings = [.. settings.OrderBy(setting => setting.Name, StringComparer.Ordinal)];
    }

    /// <summary>All types of the library's options, the outermost first.</summary>
    public static IReadOnlyList<OptionsType> All { get; } =
    [
        Create<KcdOptions>(""),
        Create<ServiceAccountOptions>(nameof(KcdOptions.ServiceAccount)),
        Create<PasswordRollSettings>($"{nameof(KcdOptions.ServiceAccount)}:{nameof(ServiceAccountOptions.PasswordRoll)}"),
        Create<ManagedPasswordOptions>($"{nameof(KcdOptions.ServiceAccount)}:{nameof(ServiceAccountOptions.ManagedPassword)}"),
        Create<RealmOptions>($"{nameof(KcdOptions.Realms)}:NAME"),
        Create<TokenOptions>(nameof(KcdOptions.Token)),
        Create<DelegatedApplication>($"{nameof(KcdOptions.Applications)}:NAME"),
    ];

    /// <summary>The key of the section that has these settings; empty for the outermost ones.</summary>
    public string Section { get; }

    public IReadOnlyList<PropertyInfo> Settings { get; }

    /// <summary>Returns the options type, or null if the type is not one.</summary>
    /// <param name="type">The type.</param>
    /// <param name="types">The types of a host; null for those of the library.</param>
    public static OptionsType? Find(Type type, IReadOnlyList<OptionsType>? types = null) =>
        (types ?? All).FirstOrDefault(options => options._type == type);

    /// <summary>Creates the options type of a host's section.</summary>
    public static OptionsType Create<[DynamicallyAccessedMembers(Members)] T>(string section)
        where T : class, new() =>
        new(typeof(T), section, static () => new T(), typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance));

    /// <summary>Returns the setting of a key, or null. Keys of a configuration are compared without case.</summary>
    public PropertyInfo? FindSetting(string key) =>
        Settings.FirstOrDefault(setting => string.Equals(setting.Name, key, StringComparison.OrdinalIgnoreCase));

    /// <summary>Creates options with the defaults.</summary>
    public object Create() => _create();

    /// <summary>Returns the type with its section below another one.</summary>
    public OptionsType Below(string section) =>
        new(_type, Section.Length == 0 ? section : $"{section}:{Section}", _create, [.. Settings]);
}
