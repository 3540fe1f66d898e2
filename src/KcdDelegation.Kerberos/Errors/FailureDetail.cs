using System.Runtime.CompilerServices;
using System.Text;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Errors;

/// <summary>The detail of a failure, written as an interpolated string. Every interpolated value becomes printable and bounded.</summary>
/// <remarks>The values are often names from messages. A hostile peer or directory must not be able to break or flood a log.</remarks>
[InterpolatedStringHandler]
internal readonly ref struct FailureDetail(int literalLength, int formattedCount)
{
    private const int MaxValueLength = 256;

    private readonly StringBuilder _text = new(literalLength + (16 * formattedCount));

    public void AppendLiteral(string value) => _text.Append(value);

    public void AppendFormatted<T>(T value) => AppendFormatted(value, format: null);

    public void AppendFormatted<T>(T value, string? format) => _text.Append(PrintableText.From(
        value is IFormattable formattable ? formattable.ToString(format, System.Globalization.CultureInfo.InvariantCulture)
            : value?.ToString(),
        MaxValueLength));

    public override string ToString() => _text.ToString();
}
