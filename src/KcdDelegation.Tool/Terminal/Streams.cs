using Spectre.Console;

namespace KcdDelegation.Tool.Terminal;

/// <summary>The streams of a command: results go to <see cref="Output"/>, everything else goes to <see cref="Error"/>.</summary>
internal sealed record Streams(Stream Input, OutputStream Output, OutputStream Error)
{
    /// <summary>Gets whether the input is typed on a terminal.</summary>
    public bool InputIsTerminal { get; init; }

    public static Streams FromConsole() => new(
        Console.OpenStandardInput(),
        OutputStream.FromConsole(Console.Out, Console.IsOutputRedirected),
        OutputStream.FromConsole(Console.Error, Console.IsErrorRedirected))
    {
        InputIsTerminal = !Console.IsInputRedirected,
    };
}

/// <summary>A destination of text.</summary>
/// <param name="Writer">The writer.</param>
/// <param name="Width">The columns of the terminal. Null if it is not a terminal; lines are then not wrapped, because programs read
/// them.</param>
internal sealed record OutputStream(TextWriter Writer, int? Width)
{
    /// <summary>Gets whether the terminal shows colors and the user wants them (NO_COLOR).</summary>
    public bool HasColors { get; init; }

    /// <summary>Creates the stream for standard output or standard error.</summary>
    public static OutputStream FromConsole(TextWriter writer, bool isRedirected) => isRedirected
        ? new OutputStream(writer, Width: null)
        : new OutputStream(writer, GetTerminalWidth()) { HasColors = DetectColors(writer) };

    /// <summary>Writes text with an emphasis, if the terminal shows colors. The text must be printable.</summary>
    public void Write(string text, TextStyle style)
    {
        var code = style switch
        {
            TextStyle.Strong => "1",
            TextStyle.Quiet => "2",
            TextStyle.Good => "32",
            TextStyle.Notice => "33",
            TextStyle.Bad => "1;31",
            TextStyle.Command => "36",
            _ => null,
        };
        Writer.Write(HasColors && code is not null && text.Length > 0 ? $"\e[{code}m{text}\e[0m" : text);
    }

    /// <summary>Returns the width of the terminal. A terminal of unknown width reports 0.</summary>
    private static int? GetTerminalWidth() => Console.WindowWidth is var width and > 0 ? width : null;

    private static bool DetectColors(TextWriter writer)
    {
        var capabilities = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) }).Profile.Capabilities;
        return capabilities.Ansi && capabilities.ColorSystem != ColorSystem.NoColors;
    }
}
