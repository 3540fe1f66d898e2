using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace KcdDelegation.Tests.Conventions;

/// <summary>What <c>dotnet pack</c> gives, read back from the packages.</summary>
public sealed partial class PackageTests(PackageTests.Packages packages) : IClassFixture<PackageTests.Packages>
{
    [Fact]
    public void There_are_eight_packages_of_one_version_each_with_its_symbols()
    {
        packages.All.Select(package => package.Id).Order(StringComparer.Ordinal)
            .ShouldBe(
                ["KcdDelegation", "KcdDelegation.AspNetCore", "KcdDelegation.Directory", "KcdDelegation.Gateway", "KcdDelegation.Kerberos",
                    "KcdDelegation.Testing", "KcdDelegation.Tool", "KcdDelegation.Yarp"]);
        packages.All.Select(package => package.Version).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        packages.Symbols.Count.ShouldBe(8);
    }

    [Theory]
    [InlineData("KcdDelegation.Testing")]
    [InlineData("KcdDelegation.AspNetCore")]
    [InlineData("KcdDelegation.Directory")]
    [InlineData("KcdDelegation.Yarp")]
    public void A_package_depends_on_the_exact_version_whose_internals_it_uses(string id)
    {
        var user = packages.All.Single(package => package.Id == id);
        user.Dependencies["KcdDelegation.Kerberos"].ShouldBe($"[{user.Version}]");
        user.Dependencies["KcdDelegation"].ShouldBe($"[{user.Version}]");
    }

    [Fact]
    public void The_engine_depends_on_logging_abstractions_alone() =>
        packages.All.Single(package => package.Id == "KcdDelegation.Kerberos").Dependencies.Keys.ShouldBe(
            ["Microsoft.Extensions.Logging.Abstractions"]);

    [Fact]
    public void Libraries_bring_their_documentation_and_every_package_its_own_readme_and_icon()
    {
        foreach (var package in packages.All)
        {
            package.Files.ShouldContain("icon.png");
            package.Readme.ShouldStartWith($"# {package.Id}\n");
            RelativeLink().IsMatch(package.Readme).ShouldBeFalse($"{package.Id}: relative links do not work on a package feed");
            if (package.Id is not ("KcdDelegation.Tool" or "KcdDelegation.Gateway"))
                package.Files.ShouldContain($"lib/net10.0/{package.Id}.xml");
        }
    }

    [GeneratedRegex(@"\]\((?!https?://|#)", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex RelativeLink();

    public sealed record Package(
        string Id, string Version, string Readme, IReadOnlyDictionary<string, string> Dependencies, IReadOnlyList<string> Files);

    public sealed class Packages : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-packages-");

        public IReadOnlyList<Package> All { get; private set; } = [];

        public IReadOnlyList<string> Symbols { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            // A node of MSBuild that waits for the next build keeps the output open, for a quarter of an hour.
            var start = new ProcessStartInfo(
                "dotnet", ["pack", Path.Combine(Repository.Root, "KcdDelegation.sln"), "--output", _folder.FullName, "--nologo",
                "--verbosity", "quiet", "-nodeReuse:false"]) { UseShellExecute = false, RedirectStandardOutput = true };
            using var pack = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
            var output = await pack.StandardOutput.ReadToEndAsync();
            await pack.WaitForExitAsync();
            pack.ExitCode.ShouldBe(0, output);
            All = [.. _folder.EnumerateFiles("*.nupkg").Select(Read)];
            Symbols = [.. _folder.EnumerateFiles("*.snupkg").Select(file => file.Name)];
        }

        public ValueTask DisposeAsync()
        {
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }

        private static Package Read(FileInfo file)
        {
            using var archive = ZipFile.OpenRead(file.FullName);
            using var stream = archive.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
            var metadata = XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
            string Value(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
            using var readme = new StreamReader(archive.GetEntry("README.md")!.Open());
            return new Package(
                Value("id"),
                Value("version"),
                readme.ReadToEnd(),
                metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
                    .ToDictionary(element =>
                    element.Attribute("id")!.Value, element => element.Attribute("version")!.Value, StringComparer.Ordinal),
                [.. archive.Entries.Select(entry => entry.FullName)]);
        }
    }
}
