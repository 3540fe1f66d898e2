using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.Kerberos.Tests.Names;

public sealed class PrintableTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("ada", "ada")]
    [InlineData("佐々木 ธีระ", "佐々木 ธีระ")]
    [InlineData("a\r\nb", "a<U+000D><U+000A>b")]
    [InlineData("\u001b[2J", "<U+001B>[2J")]
    [InlineData("a\u202eb", "a<U+202E>b")]
    [InlineData("a\U000E0041b", "a<U+E0041>b")]
    [InlineData("a\u3164b", "a<U+3164>b")]
    [InlineData("a\ufe0fb", "a<U+FE0F>b")]
    public void Characters_that_are_unsafe_in_a_line_are_written_as_code_points(string text, string expected) =>
        PrintableText.From(text).ShouldBe(expected);

    [Fact]
    public void Long_text_is_truncated() => PrintableText.From(new string('a', 20), 10).ShouldBe("aaaaaaaaaa…");

    [Fact]
    public void A_lone_surrogate_is_replaced() => PrintableText.From("a\ud800b", 2).ShouldBe("a\ufffd…");

    [Fact]
    public void A_quoted_text_has_no_quotation_mark_inside() => PrintableText.Quoted("a\"b").ShouldBe("\"a'b\"");
}
