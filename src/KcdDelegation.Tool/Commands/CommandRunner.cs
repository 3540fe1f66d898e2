using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary>The work of a command.</summary>
internal delegate Task<CommandResult> CommandWork(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken);

/// <summary>Runs the work of a command and converts its result or failure into output and an exit code.</summary>
internal sealed class CommandRunner(Streams streams, CommonOptions options)
{
    public Streams Streams => streams;

    /// <summary>Gets the stream for progress: standard output, or standard error if a program reads the result.</summary>
    public OutputStream GetProgressOutput(ParseResult parsed) => parsed.GetValue(options.Json) ? streams.Error : streams.Output;

    /// <summary>Returns whether a program reads the result.</summary>
    public bool IsJson(ParseResult parsed) => parsed.GetValue(options.Json);

    /// <param name="command">The command that does the work.</param>
    /// <param name="work">The work. It receives the arguments and a log that writes to standard error.</param>
    /// <param name="minimumLevel">The lowest level that is logged without --verbose; None if the library also logs what the command
    /// prints.</param>
    public void SetAction(Command command, CommandWork work, LogLevel minimumLevel = LogLevel.Warning) =>
        command.SetAction((parsed, cancellationToken) =>
            RunAsync(parsed, work, parsed.GetValue(options.Verbose) ? LogLevel.Debug : minimumLevel, cancellationToken));

    private async Task<int> RunAsync(ParseResult parsed, CommandWork work, LogLevel minimumLevel, CancellationToken cancellationToken)
    {
        using var log = new StandardErrorLoggerFactory(streams.Error.Writer, minimumLevel);
        try
        {
            var result = await work(parsed, log, cancellationToken);
            if (parsed.GetValue(options.Json))
                result.WriteJson(streams.Output.Writer);
            else
                result.WriteText(streams.Output);
            return (int)result.ToExitCode();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Fail(parsed, FailureResult.CreateInterrupted());
        }
        catch (UsageException error)
        {
            return Fail(parsed, FailureResult.FromUsage(error.Message, parsed.CommandResult.Command));
        }
        catch (KerberosException error)
        {
            // The engine runs only in the commands that take the account from options.
            return Fail(parsed, FailureResult.FromFailure(KcdException.Explain(error), OptionNames.ReplaceKeys));
        }
        catch (KcdException failure)
        {
            return Fail(parsed, FailureResult.FromFailure(failure));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Fail(parsed, FailureResult.FromFile(error));
        }
    }

    private int Fail(ParseResult parsed, FailureResult failure)
    {
        failure.WriteText(streams.Error);
        if (parsed.GetValue(options.Json))
            failure.WriteJson(streams.Output.Writer);
        return (int)failure.ToExitCode();
    }
}
