using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The rules of CONTRIBUTING.md for language and names that a program can decide, over all sources, documents and
/// scripts.</summary>
public sealed partial class StyleTests
{
    private const int MaxLineLength = 140;
    private const int MaxSummaryWords = 40;

    private static readonly Regex s_forbiddenWord = new(
        $@"\b({string.Join('|', ReadWords("word"))})\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private static readonly Regex s_questionWord = new(
        $@"^({string.Join('|', ReadWords("summary-start"))})\b", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private static readonly IReadOnlyList<string> s_metaphors = ReadWords("metaphor");

    /// <summary>Words that end like a verb in the third person and are none.</summary>
    private static readonly string[] s_notVerbs =
        ["This", "Its", "Is", "Was", "Has", "As", "Those", "Always", "Sometimes", "Unless", "Perhaps", "Less", "Thus"];

    private static readonly Lazy<IReadOnlyList<SourceText>> s_sources =
        new(() => [.. Repository.Files.Where(file => file.EndsWith(".cs", StringComparison.Ordinal)).Select(SourceText.Read)]);

    [Fact]
    public void Comments_messages_and_documents_use_no_word_of_the_list()
    {
        var prose = s_sources.Value.SelectMany(source => source.Prose)
            .Concat(Repository.Files.Where(IsDocumentOrScript).SelectMany(DocumentLines));
        var violations =
            from line in prose
            from Match match in s_forbiddenWord.Matches(line.Text)
            where match.Value != "SHALL"
            select new Violation(line.File, line.Number, $"\"{match.Value}\" in: {line.Text.Trim()}");
        StyleExceptions.Apply("word", violations).ShouldBeEmpty();
    }

    [Fact]
    public void Test_names_use_no_word_of_the_list()
    {
        var violations =
            from source in s_sources.Value
            from method in source.Root.DescendantNodes().OfType<MethodDeclarationSyntax>()
            let name = method.Identifier.ValueText
            where name.Contains('_', StringComparison.Ordinal) && s_forbiddenWord.IsMatch(name.Replace('_', ' '))
            select source.At(method.Identifier, name);
        StyleExceptions.Apply("test-name", violations).ShouldBeEmpty();
    }

    [Fact]
    public void The_summary_of_a_method_starts_with_a_verb_in_the_third_person()
    {
        var violations =
            from source in s_sources.Value
            where source.IsProduct
            from member in source.Root.DescendantNodes().OfType<MemberDeclarationSyntax>()
            where member is MethodDeclarationSyntax or ConstructorDeclarationSyntax
            let summary = SourceText.GetSummary(member)
            where summary is not null && !StartsWithVerb(summary)
            select source.At(member.GetFirstToken(), summary);
        StyleExceptions.Apply("method-summary", violations).ShouldBeEmpty();
    }

    [Fact]
    public void No_summary_starts_with_a_question_word_or_a_pronoun()
    {
        var violations =
            from source in s_sources.Value
            where source.IsProduct
            from member in source.Root.DescendantNodes().OfType<MemberDeclarationSyntax>()
            let summary = SourceText.GetSummary(member)
            where summary is not null && s_questionWord.IsMatch(summary)
            select source.At(member.GetFirstToken(), summary);
        StyleExceptions.Apply("summary-start", violations).ShouldBeEmpty();
    }

    [Fact]
    public void A_summary_has_at_most_forty_words()
    {
        var violations =
            from source in s_sources.Value
            where source.IsProduct
            from member in source.Root.DescendantNodes().OfType<MemberDeclarationSyntax>()
            let summary = SourceText.GetSummary(member)
            where summary is not null
            let words = summary.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length
            where words > MaxSummaryWords
            select source.At(member.GetFirstToken(), $"{words} words: {summary}");
        StyleExceptions.Apply("summary-length", violations).ShouldBeEmpty();
    }

    [Fact]
    public void Lines_end_at_140_columns()
    {
        var sources =
            from source in s_sources.Value
            from line in source.Lines
            where line.Text.Length > MaxLineLength
            select new Violation(line.File, line.Number, $"{line.Text.Length} columns");
        var documents =
            from file in Repository.Files
            where IsDocumentOrScript(file)
            from line in DocumentLines(file)
            where line.Text.Length > MaxLineLength && !line.Text.TrimStart().StartsWith('|')
                && !line.Text.Contains("](http", StringComparison.Ordinal)
            select new Violation(line.File, line.Number, $"{line.Text.Length} columns");
        StyleExceptions.Apply("line-length", sources.Concat(documents)).ShouldBeEmpty();
    }

    [Fact]
    public void Factories_and_predicates_are_named_by_the_rules_and_Try_returns_bool()
    {
        var violations =
            from source in s_sources.Value
            from method in source.Root.DescendantNodes().OfType<MethodDeclarationSyntax>()
            let name = method.Identifier.ValueText
            where !method.Modifiers.Any(SyntaxKind.OverrideKeyword)
            let violation = name switch
            {
                _ when OfName().IsMatch(name) => "a factory is Create, From or Parse, and a look-up is Get or Find",
                _ when QuestionName().IsMatch(name) => "a predicate is Is, Has or Can, and a look-up is Get or Find",
                _ when AttemptName().IsMatch(name) && method.ReturnType.ToString() is not ("bool" or "Task<bool>" or "ValueTask<bool>") =>
                    "Try returns bool",
                _ => null,
            }
            where violation is not null
            select source.At(method.Identifier, $"{name}: {violation}");
        StyleExceptions.Apply("method-name", violations).ShouldBeEmpty();
    }

    [Fact]
    public void No_declared_name_is_a_metaphor()
    {
        var violations =
            from source in s_sources.Value
            from token in source.Root.DescendantTokens()
            where token.IsKind(SyntaxKind.IdentifierToken) && token.Parent is MemberDeclarationSyntax or VariableDeclaratorSyntax
                or ParameterSyntax
            where CamelCaseWord().Matches(token.ValueText).Any(word => s_metaphors.Contains(word.Value, StringComparer.OrdinalIgnoreCase))
            select source.At(token, token.ValueText);
        StyleExceptions.Apply("metaphor", violations).ShouldBeEmpty();
    }

    /// <summary>Reads the words of a rule from <c>StyleWords.txt</c>.</summary>
    private static List<string> ReadWords(string rule) =>
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests", "KcdDelegation.Tests", "Conventions", "StyleWords.txt"))
            .Where(line => line.StartsWith(rule + ":", StringComparison.Ordinal))
            .SelectMany(line => line[(rule.Length + 1)..].Split(',', StringSplitOptions.TrimEntries))];

    private static bool StartsWithVerb(string summary) =>
        VerbStart().Match(summary) is { Success: true } start && !s_notVerbs.Contains(start.Groups["word"].Value, StringComparer.Ordinal);

    private static bool IsDocumentOrScript(string file) =>
        file.EndsWith(".md", StringComparison.Ordinal)
            || (Path.GetExtension(file).Length == 0 && File.ReadLines(Path.Combine(Repository.Root, file))
            .FirstOrDefault()?.StartsWith("#!", StringComparison.Ordinal) == true);

    /// <summary>Gets the lines of a document outside its code blocks, or all lines of a script.</summary>
    private static IEnumerable<Line> DocumentLines(string file)
    {
        var isCode = false;
        var isScript = !file.EndsWith(".md", StringComparison.Ordinal);
        var number = 0;
        foreach (var text in File.ReadLines(Path.Combine(Repository.Root, file)))
        {
            number++;
            if (!isScript && text.TrimStart().StartsWith("```", StringComparison.Ordinal))
                isCode = !isCode;
            else if (!isCode && !(isScript && text.StartsWith("#!", StringComparison.Ordinal)))
                yield return new Line(file, number, text);
        }
    }

    /// <summary>Matches a verb in the third person. A plural noun is recognized by the word after it.</summary>
    [GeneratedRegex(@"^(?<word>[A-Z][a-z]+s)\b(?! (of|which|who|are)\b)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex VerbStart();

    [GeneratedRegex("^(.*[a-z])?Of$(?<!IndexOf|SizeOf|TypeOf)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex OfName();

    [GeneratedRegex("^Why([A-Z]|$)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex QuestionName();

    [GeneratedRegex("^Try[A-Z](?!.*_)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AttemptName();

    [GeneratedRegex("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CamelCaseWord();
}
