using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace KcdDelegation.Tool.Demo;

/// <summary>How the demo looks: with colours where there is a terminal for them, readable without. Text that comes in is shown as it is; only
/// this file writes markup.</summary>
internal sealed class DemoScreen
{
    private const int WidthWithoutTerminal = 100;
    private const int MaxWidth = 110;
    private static readonly Style Quiet = new(decoration: Decoration.Dim);
    private static readonly Style Strong = new(decoration: Decoration.Bold);
    private static readonly Style Good = new(Color.Green);
    private static readonly Style Bad = new(Color.Red);
    private static readonly Style Accent = new(Color.Aqua, decoration: Decoration.Bold);

    private readonly IAnsiConsole _console;
    private bool _lastWasMark;

    public DemoScreen(OutputStream output)
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

    /// <summary>A line across with a title.</summary>
    public void Title(string title, string introduction)
    {
        _console.WriteLine();
        _console.Write(new Rule(Markup.Escape(title)) { Justification = Justify.Left, Style = Accent });
        Say(introduction);
    }

    /// <summary>The beginning of a stage of the request.</summary>
    public void Stage(int number, string name, string introduction) => Title($"{number}  {name}", introduction);

    /// <summary>A paragraph.</summary>
    public void Say(string text) => Write(new Text(text));

    /// <summary>Lines of a name, a value and a remark.</summary>
    public void Facts(params ReadOnlySpan<(string Name, string Value, string Remark)> facts)
    {
        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) });
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(0, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        foreach (var (name, value, remark) in facts)
            grid.AddRow(new Text(name, Quiet), new Text(value, Strong), new Text(remark, Quiet));
        Write(grid);
    }

    /// <summary>What went over the wire to a KDC: the realm's own record of it, and what it means.</summary>
    public void Exchanges(IEnumerable<ExplainedExchange> exchanges)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = Quiet, ShowHeaders = true, Expand = false };
        table.AddColumn(new TableColumn(new Text("the KDC's record", Quiet)) { NoWrap = true });
        table.AddColumn(new TableColumn(new Text("what it is for", Quiet)));
        foreach (var exchange in exchanges)
            table.AddRow(new Text(exchange.Record, exchange.WasRefused ? Bad : Good), new Paragraph(exchange.Name, Strong).Append($": {exchange.Meaning}"));
        Write(table);
    }

    /// <summary>A thing that happened as it should.</summary>
    public void Done(string what) => WriteMark("ok", Good, what);

    /// <summary>A thing that did not.</summary>
    public void Wrong(string what) => WriteMark("WRONG", Bad, what);

    /// <summary>A refusal as an administrator sees it.</summary>
    public void Refusal(KcdException refusal)
    {
        using var text = new StringWriter();
        FailureResult.From(refusal).WriteText(new OutputStream(text, _console.Profile.Width - 4));
        Write(new Panel(new Text(text.ToString().TrimEnd())) { Header = new PanelHeader(" what the administrator is told "), Border = BoxBorder.Rounded, BorderStyle = Bad, Padding = new Padding(1, 0, 1, 0) });
    }

    private void WriteMark(string mark, Style style, string what)
    {
        if (!_lastWasMark)
            _console.WriteLine();
        _lastWasMark = true;
        var grid = new Grid { Expand = false };
        grid.AddColumn(new GridColumn { NoWrap = true, Padding = new Padding(2, 0, 2, 0) });
        grid.AddColumn(new GridColumn { Padding = new Padding(0, 0, 0, 0) });
        grid.AddRow(new Text(mark, style), new Text(what));
        _console.Write(grid);
    }

    private void Write(IRenderable content)
    {
        _lastWasMark = false;
        _console.WriteLine();
        _console.Write(content);
        if (content is Text)
            _console.WriteLine();
    }
}
