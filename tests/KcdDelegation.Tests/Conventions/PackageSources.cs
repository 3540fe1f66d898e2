using System.Collections.Concurrent;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The sources of one package, parsed and bound. The compiler resolves every name, so the tests compare no text.</summary>
internal sealed class PackageSources
{
    private const string RootFolder = "(root)";

    /// <summary>The namespaces that <c>ImplicitUsings</c> adds to every file.</summary>
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly ConcurrentDictionary<string, Lazy<PackageSources>> s_packages = new(StringComparer.Ordinal);

    private readonly string _folder;
    private readonly CSharpCompilation _compilation;

    private PackageSources(string package)
    {
        _folder = Path.Combine(Repository.Root, "src", package);
        var trees = Repository.SourceFiles(package).Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file));
        var platform = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        var references = platform.Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) != package)
            .Select(path => MetadataReference.CreateFromFile(path));
        _compilation = CSharpCompilation.Create(package, [CSharpSyntaxTree.ParseText(ImplicitUsings), .. trees], references);
        Package = package;
    }

    public string Package { get; }

    /// <summary>Gets the namespace of the package: its name, unless the project names another one.</summary>
    public string RootNamespace => XDocument.Load(Path.Combine(_folder, $"{Package}.csproj")).Descendants("RootNamespace")
        .Select(element => element.Value).FirstOrDefault(Package);

    /// <summary>Gets the sources of a package; they are parsed once for all tests.</summary>
    public static PackageSources Get(string package) =>
        s_packages.GetOrAdd(package, static name => new Lazy<PackageSources>(() => new PackageSources(name))).Value;

    /// <summary>The files of the package.</summary>
    public IEnumerable<SyntaxTree> Trees => _compilation.SyntaxTrees.Where(tree => tree.FilePath.Length > 0);

    /// <summary>The folder of a file below the package; <c>(root)</c> for a file in none.</summary>
    public string GetFolder(string file)
    {
        var parts = Path.GetRelativePath(_folder, file).Split('/', '\\');
        return parts.Length == 1 ? RootFolder : parts[0];
    }

    /// <summary>Every reference of a file to a type of another folder of the package.</summary>
    public IEnumerable<TypeReference> References()
    {
        foreach (var tree in Trees)
        {
            var model = _compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<Microsoft.CodeAnalysis.CSharp.Syntax.SimpleNameSyntax>())
            {
                if (model.GetSymbolInfo(name).Symbol is not { } symbol || GetDeclaringFile(symbol) is not { } declared)
                    continue;
                var (from, to) = (GetFolder(tree.FilePath), GetFolder(declared));
                if (from != to)
                    yield return new TypeReference(
                        from, to, $"{Path.GetFileName(tree.FilePath)}:{name.GetLocation().GetLineSpan().StartLinePosition.Line
                        + 1} {name}");
            }
        }
    }

    /// <summary>The file that declares a type, or the type of a static or extension member.</summary>
    private string? GetDeclaringFile(ISymbol symbol)
    {
        var type = symbol as INamedTypeSymbol
            ?? (symbol.IsStatic || symbol is IMethodSymbol { ReducedFrom: not null } ? symbol.ContainingType : null);
        return type is not null && SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, _compilation.Assembly)
            ? type.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath
            : null;
    }
}

/// <summary>A name in one folder that binds to a type of another.</summary>
internal sealed record TypeReference(string From, string To, string Where);
