using System.CommandLine;
using KcdDelegation.Tool.Demo;
using KcdDelegation.Tool.Output;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd demo</c>: the whole flow with servers of its own.</summary>
internal sealed class DemoCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Needs nothing but .NET: the KDC, the token issuer and the backend run inside, on 127.0.0.1, on free
        ports, and end with it. With --json, the object lists what was checked and the story goes to
        standard error. Exit code 1 if anything did not happen as it should.

        Examples:
          kcd demo
          kcd demo --verbose
        """;

    public Command Create()
    {
        var command = new DocumentedCommand("demo", "Follow one request through all five stages, on loopback with servers of its own.") { Notes = Notes };
        runner.SetAction(command, RunAsync, LogLevel.None);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        await using var world = await DemoWorld.StartAsync(log, cancellationToken);
        return await new DemoStory(world, new DemoScreen(runner.GetProgress(parsed)), TimeProvider.System).TellAsync(cancellationToken);
    }
}
