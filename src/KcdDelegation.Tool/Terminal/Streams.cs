namespace KcdDelegation.Tool.Terminal;

/// <summary>The streams of a command: results go to <see cref="Output"/>, everything else goes to <see cref="Error"/>.</summary>
internal sealed record Streams(Stream Input, OutputStream Output, OutputStream Error)
{
    /// <summary>Gets whether the input is typed on a terminal.</summary>
    public bool InputIsTerminal { get; init; }

    public static Streams FromConsole() => new(
        Console.OpenStandardInput(),
        new OutputStream(Console.Out, Console.IsOutputRedirected ? null : GetTerminalWidth()),
        new OutputStream(Console.Error, Console.IsErrorRedirected ? null : GetTerminalWidth()))
    {
        InputIsTerminal = !Console.IsInputRedirected,
    };

    /// <summary>Returns the width of the terminal. A terminal of unknown width reports 0.</summary>
    private static int? GetTerminalWidth() => Console.WindowWidth is var width and > 0 ? width : null;
}

/// <summary>A destination of text.</summary>
/// <param name="Writer">The writer.</param>
/// <param name="Width">The columns of the terminal. Null if it is not a terminal; lines are then not wrapped, because programs read
/// them.</param>
internal sealed record OutputStream(TextWriter Writer, int? Width);
