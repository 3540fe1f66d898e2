using System.Globalization;

namespace KcdDelegation.DirectoryServices.Messages;

/// <summary>A range of an attribute's values (MS-ADTS §3.1.1.3.1.3.3): <c>member;range=0-1499</c>, and <c>member;range=1500-*</c> for the
/// last one.</summary>
/// <param name="Attribute">The attribute without the range.</param>
/// <param name="First">The number of the first value.</param>
/// <param name="Last">The number of the last value; null for the end.</param>
internal sealed record ValueRange(string Attribute, int First, int? Last)
{
    private const string Option = ";range=";

    /// <summary>Gets the description of the next range, or null after the last one.</summary>
    public string? Next => Last is { } last ? string.Create(CultureInfo.InvariantCulture, $"{Attribute}{Option}{last + 1}-*") : null;

    public static bool IsRange(string description) => description.Contains(Option, StringComparison.OrdinalIgnoreCase);

    /// <summary>Parses a description, or returns null if its range is not valid.</summary>
    public static ValueRange? Parse(string description)
    {
        var option = description.IndexOf(Option, StringComparison.OrdinalIgnoreCase);
        if (option < 0 || description[(option + Option.Length)..].Split('-') is not [var first, var last]
            || !TryParse(first, out var from))
            return null;
        if (last == "*")
            return new ValueRange(description[..option], from, null);
        return TryParse(last, out var to) && to >= from && to < int.MaxValue ? new ValueRange(description[..option], from, to) : null;
    }

    /// <summary>Returns whether this range begins after the end of an earlier one of the same attribute.</summary>
    public bool Continues(ValueRange earlier) =>
        string.Equals(Attribute, earlier.Attribute, StringComparison.OrdinalIgnoreCase) && First == earlier.Last + 1;

    private static bool TryParse(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
