using System.CommandLine;
using KcdDelegation.Tool.Demo;
using KcdDelegation.Tool.Output;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary><c>kcd demo</c>: a complete delegation with embedded servers.</summary>
internal sealed class DemoCommand(CommandRunner runner)
{
    private const string Notes =
        """
        Requires .NET only. The KDC, the token issuer and the backend run in this process on free ports of
        127.0.0.1, and stop with it. With --json, the result lists the checks, and the explanation goes to
        standard error. The exit code is 1 if a check fails.

        Examples:
          kcd demo
          kcd demo --verbose
        """;

    public Command Create()
    {
        var command = new DocumentedCommand("demo", "Run one request through all five stages, with embedded servers on loopback.")
        {
            Notes = Notes,
        };
        runner.SetAction(command, RunAsync, LogLevel.None);
        return command;
    }

    private async Task<CommandResult> RunAsync(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken)
    {
        await using var environment = await DemoEnvironment.StartAsync(log, cancellationToken);
        var output = new DemoOutput(runner.GetProgressOutput(parsed));
        return await new DemoScenario(environment, output, TimeProvider.System).RunAsync(cancellationToken);
    }
}
