namespace KcdDelegation.Gateway.Tests;

/// <summary>The files of the repository.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }
}
