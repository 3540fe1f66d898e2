using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Commands;

/// <summary>A command whose help ends with notes and examples.</summary>
internal sealed class DocumentedCommand(string name, string description) : Command(name, description)
{
    /// <summary>Gets the text after the list of options, in lines of at most 100 characters.</summary>
    public required string Notes { get; init; }
}

/// <summary>The help of the parser, followed by the <see cref="DocumentedCommand.Notes"/> of the command.</summary>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    private const string ExitCodes = "Exit codes: 0 success, 1 refused, 2 wrong usage, 3 no answer from a KDC, issuer or backend, 130 "
        + "interrupted.";

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
