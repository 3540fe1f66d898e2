using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KcdDelegation.Tool.Commands;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool;

/// <summary>The <c>kcd</c> command: its subcommands and their common options.</summary>
internal static class KcdCommandLine
{
    private const string Description =
        "Runs, shows and explains Kerberos constrained delegation: tickets in users' names, and the headers made from them.";

    /// <summary>The syntax of the command line: options and values only.</summary>
    /// <remarks>No response files, because the name of a user can begin with @. No bundles of short options.</remarks>
    private static readonly ParserConfiguration Syntax = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Streams streams, CancellationToken cancellationToken = default)
    {
        var common = new CommonOptions();
        var parsed = CreateRoot(streams, common).Parse(arguments, Syntax);
        // Without directives, the parser ignores an argument in brackets before the command.
        if (parsed.Action is ParseErrorAction || arguments is [['[', ..], ..])
            return ExplainUsage(parsed, streams, common);
        var output = new InvocationConfiguration { Output = streams.Output.Writer, Error = streams.Error.Writer };
        return await parsed.InvokeAsync(output, cancellationToken);
    }

    private static RootCommand CreateRoot(Streams streams, CommonOptions common)
    {
        var account = new AccountOptions();
        var runner = new CommandRunner(streams, common);
        var root = new RootCommand(Description)
        {
            common.Json,
            common.Verbose,
            new DemoCommand(runner).Create(),
            new TicketCommand(runner, account).Create(),
            new TraceCommand(runner, account).Create(),
            new HeaderCommand(runner, account).Create(),
            new MapCommand(runner).Create(),
            new InspectCommand(runner).Create(),
            new DoctorCommand(runner).Create(),
            new PurgeCommand(runner).Create(),
        };
        // No directives such as [suggest]: they are a second syntax, which prints words of the command line.
        root.Directives.Clear();
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    /// <summary>Writes the errors of the parser. Its own exit code is 1, which means a refusal here, and its messages contain
    /// values.</summary>
    private static int ExplainUsage(ParseResult parsed, Streams streams, CommonOptions common)
    {
        var messages = UsageErrors.Describe(parsed);
        if (messages.Count == 0)
            messages = ["The first argument must be a command. Directives are not supported."];
        var failure = FailureResult.FromUsage(string.Join(Environment.NewLine, messages), parsed.CommandResult.Command);
        failure.WriteText(streams.Error);
        // The option can itself be in error.
        if (parsed.GetResult(common.Json) is { Implicit: false })
            failure.WriteJson(streams.Output.Writer);
        return (int)ExitCode.WrongUsage;
    }
}
