using System.CommandLine;

namespace KcdDelegation.Tool.Settings;

/// <summary>What every command understands.</summary>
internal sealed class CommonOptions
{
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Write one JSON object with a version to standard output, after a failure too.",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Show on standard error what happens on the way.",
        Recursive = true,
    };
}
