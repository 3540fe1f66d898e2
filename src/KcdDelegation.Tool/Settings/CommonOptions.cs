using System.CommandLine;

namespace KcdDelegation.Tool.Settings;

/// <summary>The options of every command.</summary>
internal sealed class CommonOptions
{
    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Write one JSON object with a version to standard output, also after a failure.",
        Recursive = true,
        Arity = ArgumentArity.Zero,
    };

    public Option<bool> Verbose { get; } = new("--verbose", "-v")
    {
        Description = "Write details of each step to standard error.",
        Recursive = true,
        Arity = ArgumentArity.Zero,
    };
}
