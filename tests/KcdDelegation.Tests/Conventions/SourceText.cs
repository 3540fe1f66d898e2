using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KcdDelegation.Tests.Conventions;

/// <summary>A line of text in a file.</summary>
internal sealed record Line(string File, int Number, string Text);

/// <summary>A source file with its syntax tree.</summary>
internal sealed partial class SourceText
{
    private readonly string _file;

    private SourceText(string file, string text)
    {
        _file = file;
        Root = CSharpSyntaxTree.ParseText(text).GetRoot();
        Lines = [.. text.Split('\n').Select((line, index) => new Line(file, index + 1, line))];
    }

    public SyntaxNode Root { get; }

    public IReadOnlyList<Line> Lines { get; }

    /// <summary>Gets whether the file belongs to a package rather than to tests, benchmarks or samples.</summary>
    public bool IsProduct => _file.StartsWith("src/", StringComparison.Ordinal);

    /// <summary>Gets the comments and the texts of string literals, line by line.</summary>
    public IEnumerable<Line> Prose =>
        Root.DescendantTrivia().Where(IsComment).SelectMany(trivia => Split(trivia.GetLocation(), trivia.ToFullString()))
            .Concat(Root.DescendantTokens().Where(IsText).SelectMany(token => Split(token.GetLocation(), token.ValueText)));

    public static SourceText Read(string file) => new(file, File.ReadAllText(Path.Combine(Repository.Root, file)));

    /// <summary>Gets the summary of a member as plain text, or null if it has none.</summary>
    public static string? GetSummary(MemberDeclarationSyntax member)
    {
        var comment = member.GetLeadingTrivia().Select(trivia => trivia.GetStructure()).OfType<DocumentationCommentTriviaSyntax>()
            .LastOrDefault();
        if (comment is null)
            return null;
        var xml = string.Join('\n', comment.ToFullString().Split('\n').Select(line => line.Trim().TrimStart('/')));
        try
        {
            var summary = XElement.Parse($"<doc>{xml}</doc>").Element("summary");
            return summary is null ? null : Space().Replace(ToText(summary), " ").Trim();
        }
        catch (XmlException error)
        {
            throw new InvalidOperationException($"The documentation comment of {member.GetFirstToken()} is not XML: {xml}", error);
        }
    }

    public Violation At(SyntaxToken token, string what) => new(_file, token.GetLocation().GetLineSpan().StartLinePosition.Line + 1, what);

    private static string ToText(XElement element) => string.Concat(element.Nodes().Select(node => node switch
    {
        XText text => text.Value,
        XElement { Value.Length: 0 } reference =>
            ((string?)reference.Attribute("cref") ?? (string?)reference.Attribute("name") ?? (string?)reference.Attribute("langword") ?? "")
            .Split('.')[^1],
        XElement nested => nested.Value,
        _ => "",
    }));

    private static bool IsComment(SyntaxTrivia trivia) =>
        trivia.Kind() is SyntaxKind.SingleLineCommentTrivia or SyntaxKind.MultiLineCommentTrivia
        or SyntaxKind.SingleLineDocumentationCommentTrivia or SyntaxKind.MultiLineDocumentationCommentTrivia;

    private static bool IsText(SyntaxToken token) => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken
        or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken;

    private IEnumerable<Line> Split(Location location, string text) =>
        text.Split('\n').Select((line, index) => new Line(_file, location.GetLineSpan().StartLinePosition.Line + 1 + index, line));

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Space();
}
