using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace KcdDelegation.Settings;

/// <summary>The conversion of a configuration's text into a value, and what may be written instead of text that has no value.</summary>
internal static class SettingValue
{
    private const NumberStyles Whole = NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite;

    /// <summary>Converts the text. An enumeration is written by the names of its values only.</summary>
    /// <exception cref="NotSupportedException">The type is not one that settings have.</exception>
    public static bool TryConvert(Type type, string text, [NotNullWhen(true)] out object? value)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        value = target switch
        {
            _ when target == typeof(string) => text,
            _ when target == typeof(bool) => bool.TryParse(text, out var boolean) ? boolean : null,
            _ when target == typeof(int) => int.TryParse(text, Whole, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when target == typeof(long) => long.TryParse(text, Whole, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when target == typeof(TimeSpan) => (object?)ParseTime(text),
            _ when target == typeof(Uri) => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out var address) ? address : null,
            _ when target.IsEnum => ParseName(target, text),
            _ => throw new NotSupportedException($"Settings of the type {target} cannot be read from a configuration."),
        };
        return value is not null;
    }

    /// <summary>Returns what a text is not that could not be converted, and a value that can be written instead.</summary>
    /// <param name="type">The type of the setting.</param>
    /// <param name="example">A value of the setting, such as its default.</param>
    public static (string Expected, string Remedy) Describe(Type type, object? example)
    {
        var target = Nullable.GetUnderlyingType(type) ?? type;
        return target switch
        {
            _ when target == typeof(bool) => ("true or false", "Write true or false"),
            _ when target == typeof(int) => ("a whole number", DescribeNumber(example, int.MaxValue)),
            _ when target == typeof(long) => ("a whole number", DescribeNumber(example, long.MaxValue)),
            _ when target == typeof(TimeSpan) => ("a time", FormattableString.Invariant(
                $"Write hours, minutes and seconds, such as {example ?? TimeSpan.FromHours(1):c}; one day is 1.00:00:00")),
            _ when target == typeof(Uri) => ("an address", "Write an address such as https://erp.contoso.com/"),
            _ => ("one of its values", $"Write {string.Join(", ", Enum.GetNames(target))}"),
        };
    }

    private static string DescribeNumber(object? example, long max) =>
        FormattableString.Invariant($"Write a number such as {example ?? 100}, at most {max}");

    /// <summary>Parses a time that has a colon.</summary>
    /// <remarks><see cref="TimeSpan"/> reads 30 as 30 days, and its general form reads 24:00:00 as 24 days.</remarks>
    private static TimeSpan? ParseTime(string text) =>
        text.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var time) ? time : null;

    private static object? ParseName(Type type, string text)
    {
        var name = Enum.GetNames(type).FirstOrDefault(name => string.Equals(name, text.Trim(), StringComparison.OrdinalIgnoreCase));
        return name is null ? null : Enum.Parse(type, name);
    }
}
