using System.Text.RegularExpressions;

namespace KcdDelegation.Tests.Conventions;

/// <summary>References point one way, between packages and between the layers of the engine.</summary>
public sealed partial class ArrowTests
{
    [Fact]
    public void Packages_know_only_those_below_them()
    {
        string[] Known(System.Reflection.Assembly assembly) =>
            [.. assembly.GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("KcdDelegation", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Known(House.Engine).ShouldBeEmpty();
        Known(House.Library).ShouldBe(["KcdDelegation.Kerberos"]);
        Known(House.Kit).ShouldBeSubsetOf(["KcdDelegation", "KcdDelegation.Kerberos"]);
    }

    [Fact]
    public void The_engine_needs_nothing_but_the_platform_and_logging_abstractions() =>
        House.Engine.GetReferencedAssemblies().Select(name => name.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && name is not ("Microsoft.Extensions.Logging.Abstractions" or "Microsoft.Win32.Primitives" or "Microsoft.Win32.Registry"))
            .ShouldBeEmpty();

    [Fact]
    public void The_library_knows_no_web_framework() =>
        House.Library.GetReferencedAssemblies().Select(name => name.Name!).Where(name => name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal)).ShouldBeEmpty();

    /// <summary>S4UClient → Exchanges, TicketCache → Messages → Crypto; Exchanges → Transport. The root may see every folder.</summary>
    [Fact]
    public void Layers_of_the_engine_know_only_those_below_them()
    {
        var allowed = new Dictionary<string, string[]>(StringComparer.Ordinal)
        {
            ["Exchanges"] = ["Messages", "Crypto", "Transport"],
            ["TicketCache"] = [],
            ["Transport"] = [],
            ["Messages"] = ["Crypto"],
            ["Crypto"] = [],
            ["AccountKeys"] = ["Crypto", "KeytabFile"],
            ["KeytabFile"] = ["Crypto"],
            ["CredentialCacheFile"] = ["Messages"],
        };
        var violations = new List<string>();
        foreach (var file in House.SourceFiles("KcdDelegation.Kerberos"))
        {
            var parts = Path.GetRelativePath(Path.Combine(House.Root, "src", "KcdDelegation.Kerberos"), file).Split('/', '\\');
            if (parts.Length == 1)
                continue;
            foreach (Match match in LayerName().Matches(File.ReadAllText(file)))
            {
                var layer = match.Groups["layer"].Value;
                if (allowed.ContainsKey(layer) && layer != parts[0] && !allowed[parts[0]].Contains(layer))
                    violations.Add($"{string.Join('/', parts)} knows {layer}");
            }
        }
        violations.Distinct(StringComparer.Ordinal).ShouldBeEmpty();
    }

    [GeneratedRegex(@"KcdDelegation\.Kerberos\.(?<layer>[A-Z][A-Za-z]+)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LayerName();
}
