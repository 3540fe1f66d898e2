using System.Reflection;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.Tests.Conventions;

/// <summary>The assemblies, packages and files that the convention tests read.</summary>
internal static class Repository
{
    public static Assembly Engine => typeof(S4UClient).Assembly;

    public static Assembly Library => typeof(KcdException).Assembly;

    public static Assembly Proxy => typeof(KcdDelegation.Yarp.KcdReverseProxyOptions).Assembly;

    public static Assembly Web => typeof(KcdDelegation.AspNetCore.KcdSessions).Assembly;

    public static Assembly Directory => typeof(KcdDelegation.DirectoryServices.DirectoryClient).Assembly;

    public static Assembly Gateway => typeof(KcdDelegation.Gateway.GatewayHost).Assembly;

    public static Assembly Kit => typeof(TestRealm).Assembly;

    /// <summary>The packages of <c>src/</c>, by folder name.</summary>
    public static IReadOnlyList<string> Packages { get; } =
        [.. System.IO.Directory.GetDirectories(Path.Combine(FindRoot(), "src")).Select(folder => Path.GetFileName(folder)!)
            .Order(StringComparer.Ordinal)];

    public static string Root { get; } = FindRoot();

    /// <summary>The sources, documents and scripts of the repository, relative to its root. Build output and results are left
    /// out.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. System.IO.Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or ".git" or "results" or "seeds"))
            .Order(StringComparer.Ordinal),
    ];

    public static IEnumerable<string> SourceFiles(string project) =>
        System.IO.Directory.EnumerateFiles(Path.Combine(Root, "src", project), "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(Root, file).Split('/', '\\').Any(part => part is "bin" or "obj"));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No KcdDelegation.sln above {AppContext.BaseDirectory}.");
    }
}
