using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary>What a command does.</summary>
internal delegate Task<CommandResult> CommandWork(ParseResult parsed, ILoggerFactory log, CancellationToken cancellationToken);

/// <summary>Runs a command's work and turns what comes of it, result or failure, into output and exit code: the same for every command.</summary>
internal sealed class CommandRunner(Streams streams, CommonOptions options)
{
    public Streams Streams => streams;

    /// <summary>Where a command shows what happens on the way to its result: beside it, or on the error stream where a program reads it.</summary>
    public OutputStream GetProgress(ParseResult parsed) => parsed.GetValue(options.Json) ? streams.Error : streams.Output;

    /// <param name="command">Does the work when it is called.</param>
    /// <param name="work">Gets the arguments and a log that goes to the error stream.</param>
    /// <param name="logged">What the log shows without --verbose. None, where the library logs each refusal that the command shows anyway.</param>
    public void SetAction(Command command, CommandWork work, LogLevel logged = LogLevel.Warning) =>
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, work, parsed.GetValue(options.Verbose) ? LogLevel.Debug : logged, cancellationToken));

    private async Task<int> RunAsync(ParseResult parsed, CommandWork work, LogLevel logged, CancellationToken cancellationToken)
    {
        using var log = new StandardErrorLoggerFactory(streams.Error.Writer, logged);
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
            return Fail(parsed, FailureResult.OfInterruption());
        }
        catch (UsageException wrong)
        {
            return Fail(parsed, FailureResult.OfUsage(wrong.Message, parsed.CommandResult.Command));
        }
        catch (KerberosException error)
        {
            return Fail(parsed, FailureResult.From(error));
        }
        catch (KcdException failure)
        {
            return Fail(parsed, FailureResult.From(failure));
        }
        catch (Exception file) when (file is IOException or UnauthorizedAccessException)
        {
            return Fail(parsed, FailureResult.OfFile(file));
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
