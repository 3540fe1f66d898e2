using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class LabelledLinesTests
{
    private const string Value = "one two three four five six-that-is-longer-than-a-line seven";

    [Fact]
    public void Without_a_terminal_a_value_stays_on_its_line() =>
        Write(width: null).ShouldBe(["  a      short", $"  label  {Value}"]);

    [Fact]
    public void On_a_terminal_a_value_goes_on_below_itself_and_words_stay_whole() => Write(width: 30).ShouldBe(
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

    private static string[] Write(int? width)
    {
        using var output = new StringWriter();
        new LabelledLines { { "a", "short" }, { "label", Value } }.Write(new OutputStream(output, width));
        return output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }
}
