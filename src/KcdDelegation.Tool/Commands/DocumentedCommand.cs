using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Commands;

/// <summary>A command whose help ends with more than its options: what it is for, and examples.</summary>
internal sealed class DocumentedCommand(string name, string description) : Command(name, description)
{
    /// <summary>Text behind the list of options, lines of at most 100 characters.</summary>
    public required string Notes { get; init; }
}

/// <summary>The parser's help, and below it the command's <see cref="DocumentedCommand.Notes"/>.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private const string ExitCodes = "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no answer from a KDC, issuer or backend, 130 interrupted.";

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is DocumentedCommand command)
        {
            output.WriteLine(command.Notes);
            output.WriteLine();
        }
        output.WriteLine(ExitCodes);
        return (int)ExitCode.Done;
    }
}
