namespace KcdDelegation.InteropTests;

/// <summary>A part of a page under docs/ between markers, generated from the tests so that it stays correct.</summary>
internal static class GeneratedSection
{
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    /// <summary>Fails if the page's section differs from the text; with KCD_WRITE_DOCS=1 writes it instead.</summary>
    public static async Task CheckAsync(string page, string section, string text)
    {
        var path = Path.GetFullPath(Path.Combine(Lab.Scripts, "..", "..", "docs", page));
        await OneAtATime.WaitAsync();
        try
        {
            var (begin, end) = ($"<!-- begin {section}: written by the interop tests -->\n", $"<!-- end {section} -->");
            var content = await File.ReadAllTextAsync(path);
            var from = content.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
            var to = content.IndexOf(end, StringComparison.Ordinal);
            (from >= begin.Length && to >= from).ShouldBeTrue($"docs/{page} has no section {section}");
            if (Environment.GetEnvironmentVariable("KCD_WRITE_DOCS") == "1")
                await File.WriteAllTextAsync(path, content[..from] + text + content[to..]);
            else
                content[from..to].ShouldBe(text, $"docs/{page} has drifted; run the interop tests with KCD_WRITE_DOCS=1");
        }
        finally
        {
            OneAtATime.Release();
        }
    }
}
