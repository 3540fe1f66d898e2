namespace KcdDelegation.Fuzzing;

/// <summary>Inputs that the nightly run found and kept, in <c>tests/Fuzzing/seeds/DECODER/</c>.</summary>
internal static class SeedFiles
{
    public static string Folder(string decoder) => Path.Combine(Root(), "tests", "Fuzzing", "seeds", decoder);

    /// <summary>Returns the files of a decoder, by name; empty if it has none.</summary>
    public static IReadOnlyList<byte[]> Read(string decoder) =>
        Directory.Exists(Folder(decoder))
            ? [.. Directory.EnumerateFiles(Folder(decoder)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)] : [];

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KcdDelegation.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No KcdDelegation.sln above {AppContext.BaseDirectory}.");
    }
}
