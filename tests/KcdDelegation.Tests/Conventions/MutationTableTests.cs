using Tomlyn;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The table of <c>tests/nightly/mutate</c>. A row whose text has changed in the sources removes no check at night.</summary>
public sealed class MutationTableTests
{
    private static readonly string[] s_packages =
        ["KcdDelegation.Kerberos", "KcdDelegation", "KcdDelegation.Yarp", "KcdDelegation.Gateway"];

    [Fact]
    public void Each_row_names_a_text_that_occurs_once_in_one_file()
    {
        var table = TomlSerializer.Deserialize<Dictionary<string, List<Dictionary<string, object>>>>(
            File.ReadAllText(Path.Combine(Repository.Root, "tests", "nightly", "mutations.toml")))!["mutation"];
        var files = s_packages.SelectMany(Repository.SourceFiles).Select(file => file.Replace('\\', '/')).ToArray();

        table.Count.ShouldBeGreaterThan(100);
        table.Select(row => FindProblem(row, files)).OfType<string>().ShouldBeEmpty();
    }

    private static string? FindProblem(Dictionary<string, object> row, string[] files)
    {
        var found = Array.FindAll(files, file => file.EndsWith($"/{row["file"]}", StringComparison.Ordinal));
        if (found.Length != 1)
            return $"{row["name"]}: {found.Length} files are named {row["file"]}.";
        var count = File.ReadAllText(found[0]).Split((string)row["search"]).Length - 1;
        return count == 1 ? null : $"{row["name"]}: the text occurs {count} times in {row["file"]}.";
    }
}
