using System.Text.RegularExpressions;

namespace KcdDelegation.Tests.Conventions;

/// <summary>Tests that a text which advises to turn a protection off for a test also says to turn it on again.</summary>
public sealed partial class TestAdviceTests
{
    [Fact]
    public void Advice_to_turn_a_protection_off_to_test_says_to_turn_it_on_again()
    {
        var documents = Directory.EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories);
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories);
        var advice = documents.Concat(sources)
            .Where(path => !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal))
            .SelectMany(path => Advice().Matches(File.ReadAllText(path)).Select(match => $"{Path.GetFileName(path)}: {match.Value}"))
            .ToList();

        advice.ShouldNotBeEmpty();
        advice.Where(text => !text.Contains("on again", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>A sentence about a test in which something is turned off, up to the end of its paragraph or string.</summary>
    [GeneratedRegex(
        @"(?:[Tt]o test,? turn|[Tt]urn\w*\b[^.""]{0,60}\boff\b[^.""]{0,40}\b(?:to test|for a test|temporarily))(?:(?!\n\s*\n)[^""])*",
        RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Advice();
}
