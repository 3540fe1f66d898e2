using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KcdDelegation.Tool.Demo;

/// <summary>The presentation of the demo: with colors on a terminal that supports them, plain text otherwise.</summary>
/// <remarks>Values are written as plain text. Only this file writes markup.</remarks>
internal sealed class DemoOutput
{
    private const int WidthWithoutTerminal = 100;
    private const int MaxWidth = 110;
    private static readonly Style Quiet = new(decoration: Decoration.Dim);
    private static readonly Style Strong = new(decoration: Decoration.Bold);
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red);
    private static readonly Style Accent = new(Color.Aqua, decoration: Decoration.Bold);

    private readonly IAnsiConsole _console;
    private bool _lastWasCheck;

    public DemoOutput(OutputStream output)
    {
        var isTerminal = output.Width is not null;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output.Writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        _console.Profile.Width = Math.Min(output.Width ?? WidthWithoutTerminal, MaxWidth);
    }

    /// <summary>Writes a horizontal rule with a title, and a paragraph below it.</summary>
    public void WriteTitle(string title, string introduction)
    {
        _console.WriteLine();
        _console.Write(new Rule(Markup.Escape(title)) { Justification = Justify.Left, Style = Accent });
        WriteParagraph(introduction);
    }

    /// <summary>Writes the title of a stage of the request.</summary>
    public void WriteStage(int number, string name, string introduction) => WriteTitle($"{number}  {name}", introduction);

    public void WriteParagraph(string text) => Write(new Text(text));

    /// <summary>Writes lines of a name, a value and a comment.</summary>
    public void WriteFacts(params ReadOnlySpan<(string Name, string Value, string Comment)> facts)
    {
        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var (name, value, comment) in facts)
            grid.AddRow(new Text(name, Quiet), new Text(value, Strong), new Text(comment, Quiet));
        Write(grid);
    }

    /// <summary>Writes the exchanges with the KDC: the transcript of the realm, and an explanation of each line.</summary>
    public void WriteExchanges(IEnumerable<ExplainedExchange> exchanges)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Quiet, ShowHeaders = true, Expand = false };
        table.AddColumn(new TableColumn(new Text("KDC transcript", Quiet)) { NoWrap = true });
        table.AddColumn(new TableColumn(new Text("exchange", Quiet)));
        foreach (var exchange in exchanges)
        {
            table.AddRow(
                new Text(exchange.Record, exchange.WasRefused ? Bad : Good),
                new Paragraph(exchange.Name, Strong).Append($": {exchange.Meaning}"));
        }
        Write(table);
    }

    public void WritePassedCheck(string expectation) => WriteCheck("ok", Good, expectation);

    public void WriteFailedCheck(string expectation) => WriteCheck("FAILED", Bad, expectation);

    /// <summary>Writes a refusal as an administrator sees it.</summary>
    public void WriteRefusal(KcdException refusal)
    {
        using var text = new StringWriter();
        FailureResult.FromFailure(refusal).WriteText(new OutputStream(text, _console.Profile.Width - 4));
        Write(new Panel(new Text(text.ToString().TrimEnd()))
        {
            Header = new PanelHeader(" what the administrator sees "),
            Border = BoxBorder.Rounded,
            BorderStyle = Bad,
            Padding = new Padding(1, 0, 1, 0),
        });
    }

    private void WriteCheck(string mark, Style style, string expectation)
    {
        if (!_lastWasCheck)
            _console.WriteLine();
        _lastWasCheck = true;
        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        grid.AddRow(new Text(mark, style), new Text(expectation));
        _console.Write(grid);
    }

    private void Write(IRenderable content)
    {
        _lastWasCheck = false;
        _console.WriteLine();
        _console.Write(content);
        if (content is Text)
            _console.WriteLine();
    }
}
