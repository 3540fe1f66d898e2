namespace KcdDelegation.Tool.Terminal;

/// <summary>What the command reads and writes: results to the output, everything else to the error stream.</summary>
internal sealed record Streams(Stream Input, OutputStream Output, OutputStream Error)
{
    /// <summary>Whether someone types the input.</summary>
    public bool InputIsTerminal { get; init; }

    public static Streams OfConsole() => new(
        Console.OpenStandardInput(),
        new OutputStream(Console.Out, Console.IsOutputRedirected ? null : TerminalWidth()),
        new OutputStream(Console.Error, Console.IsErrorRedirected ? null : TerminalWidth()))
    {
        InputIsTerminal = !Console.IsInputRedirected,
    };

    /// <summary>A terminal that does not tell its width says 0.</summary>
    private static int? TerminalWidth() => Console.WindowWidth is var width and > 0 ? width : null;
}

/// <summary>Where text goes.</summary>
/// <param name="Writer">Takes it.</param>
/// <param name="Width">Columns of the terminal; null: no terminal, and lines are left whole, for programs read them.</param>
internal sealed record OutputStream(TextWriter Writer, int? Width);
