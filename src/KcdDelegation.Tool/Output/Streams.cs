namespace KcdDelegation.Tool.Output;

/// <summary>What the command reads and writes: results to the output, everything else to the error stream.</summary>
internal sealed record Streams(Stream Input, TextWriter Output, TextWriter Error)
{
    /// <summary>Whether someone types the input.</summary>
    public bool InputIsTerminal { get; init; }

    public static Streams OfConsole() => new(Console.OpenStandardInput(), Console.Out, Console.Error)
    {
        InputIsTerminal = !Console.IsInputRedirected,
    };
}
