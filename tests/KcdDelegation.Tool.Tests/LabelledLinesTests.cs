using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class LabelledLinesTests
{
    private const string Value = "one two three four five six-that-is-longer-than-a-line seven";

    [Fact]
    public void Without_a_terminal_a_value_is_not_wrapped() =>
        Write(width: null).ShouldBe(["  a      short", $"  label  {Value}"]);

    [Fact]
    public void On_a_terminal_a_value_is_wrapped_in_its_column_between_words() => Write(width: 30).ShouldBe(
    [
        "  a      short",
        "  label  one two three four",
        "         five",
        "         six-that-is-longer-than-a-line",
        "         seven",
    ]);

    [Fact]
    public void A_narrow_terminal_still_shows_every_word() =>
        string.Join(' ', Write(width: 5).Skip(1).Select(line => line[9..])).ShouldBe(Value);

    [Fact]
    public void Characters_that_control_the_terminal_are_written_as_code_points()
    {
        using var output = new StringWriter();
        new LabelledLines { { "a", "x\r\ny\u001b[31m\u202ez" } }.Write(new OutputStream(output, Width: null));

        output.ToString().ShouldBe($"  a  x<U+000D><U+000A>y<U+001B>[31m<U+202E>z{Environment.NewLine}");
    }

    private static string[] Write(int? width)
    {
        using var output = new StringWriter();
        new LabelledLines { { "a", "short" }, { "label", Value } }.Write(new OutputStream(output, width));
        return output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
