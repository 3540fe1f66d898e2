using System.Collections.Immutable;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The sources against the order of folders that docs/architecture.md draws, for every package.</summary>
public sealed class StructureTests
{
    private const string Heading = "## The order of folders";

    public static TheoryData<string> Packages => [.. Repository.Packages];

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_folder_refers_only_to_folders_after_it_in_the_documented_order(string package)
    {
        var order = ReadOrder(package);
        var against = PackageSources.Get(package).References()
            .Where(reference => order.IndexOf(reference.To) <= order.IndexOf(reference.From))
            .GroupBy(reference => $"{reference.From} refers to {reference.To}", StringComparer.Ordinal)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(reference => reference.Where).Take(5))}");

        against.ShouldBeEmpty($"{package} has references against the order in docs/architecture.md");
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_documented_order_names_every_folder_and_the_root_first(string package)
    {
        var sources = PackageSources.Get(package);
        var folders = sources.Trees.Select(tree => sources.GetFolder(tree.FilePath)).Distinct(StringComparer.Ordinal);

        ReadOrder(package).Order(StringComparer.Ordinal).ShouldBe(folders.Order(StringComparer.Ordinal));
        ReadOrder(package)[0].ShouldBe("(root)");
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_file_is_in_the_namespace_of_its_folder_or_has_a_public_type_in_that_of_its_package(string package)
    {
        var sources = PackageSources.Get(package);
        var violations =
            from tree in sources.Trees
            from declared in tree.GetRoot().DescendantNodes().OfType<BaseNamespaceDeclarationSyntax>()
            let name = declared.Name.ToString()
            let folder = sources.GetFolder(tree.FilePath)
            let types = declared.Members.OfType<BaseTypeDeclarationSyntax>()
            let hasPublicType = types.Any(type => type.Modifiers.Any(modifier => modifier.ValueText == "public"))
            let expected = folder == "(root)" || hasPublicType ? sources.RootNamespace : $"{sources.RootNamespace}.{folder}"
            where name != expected && !name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)
                && name != "Microsoft.AspNetCore.Builder"
            select $"{Path.GetRelativePath(Repository.Root, tree.FilePath)} is in {name}, not in {expected}";

        violations.ShouldBeEmpty();
    }

    /// <summary>Reads the package's line, <c>PACKAGE: (root) > A > B</c>, below the heading.</summary>
    private static ImmutableArray<string> ReadOrder(string package)
    {
        var page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "architecture.md"));
        var line = page.SkipWhile(text => text != Heading).FirstOrDefault(text => text.StartsWith(package + ":", StringComparison.Ordinal));
        line.ShouldNotBeNull($"docs/architecture.md has no order of {package} below \"{Heading}\"");
        return [.. line[(package.Length + 1)..].Split('>', StringSplitOptions.TrimEntries)];
    }
}
