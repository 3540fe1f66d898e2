using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using KcdDelegation.Tool.Commands;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool;

/// <summary>The <c>kcd</c> command: its subcommands, and what they have in common.</summary>
internal static class KcdCommandLine
{
    private const string Description =
        "Tries, shows and explains Kerberos constrained delegation: tickets in users' names, and the headers made of them.";

    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Streams streams, CancellationToken cancellationToken = default)
    {
        var common = new CommonOptions();
        var root = Create(streams, common);
        // Without response files: a user's name may begin with @.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return parsed.Action is ParseErrorAction error
            ? ExplainUsage(parsed, error, streams, common)
            : await parsed.InvokeAsync(new InvocationConfiguration { Output = streams.Output.Writer, Error = streams.Error.Writer }, cancellationToken);
    }

    private static RootCommand Create(Streams streams, CommonOptions common)
    {
        var account = new AccountOptions();
        var runner = new CommandRunner(streams, common);
        var root = new RootCommand(Description)
        {
            common.Json,
            common.Verbose,
            new DemoCommand(runner).Create(),
            new TicketCommand(runner, account).Create(),
            new HeaderCommand(runner, account).Create(),
            new MapCommand(runner).Create(),
            new InspectCommand(runner).Create(),
        };
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    /// <summary>The parser's own exit code for wrong usage is 1, which means a refusal here.</summary>
    private static int ExplainUsage(ParseResult parsed, ParseErrorAction error, Streams streams, CommonOptions common)
    {
        var isWithoutCommand = parsed.Tokens.Count == 0;
        error.ShowHelp = isWithoutCommand;
        // Help too goes to standard error: a script that reads a result must not read it.
        parsed.Invoke(new InvocationConfiguration { Output = streams.Error.Writer, Error = streams.Error.Writer });
        if (!isWithoutCommand)
            streams.Error.Writer.WriteLine($"Try: {FailureResult.GetHelp(parsed.CommandResult.Command)}");
        // Its own value may be what is wrong.
        if (parsed.GetResult(common.Json) is { Implicit: false })
            FailureResult.OfUsage(string.Join(' ', parsed.Errors.Select(wrong => wrong.Message)), parsed.CommandResult.Command).WriteJson(streams.Output.Writer);
        return (int)ExitCode.WrongUsage;
    }
}
