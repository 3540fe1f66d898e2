using System.CommandLine;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Commands;

/// <summary>Runs a command's work and turns what comes of it, result or failure, into output and exit code: the same for every command.</summary>
internal sealed class CommandRunner(Streams streams, CommonOptions options)
{
    public Streams Streams => streams;

    public void SetAction(Command command, Func<ParseResult, ILoggerFactory, CancellationToken, Task<CommandResult>> work) =>
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, work, cancellationToken));

    private async Task<int> RunAsync(
        ParseResult parsed, Func<ParseResult, ILoggerFactory, CancellationToken, Task<CommandResult>> work, CancellationToken cancellationToken)
    {
        using var log = new StandardErrorLoggerFactory(streams.Error, parsed.GetValue(options.Verbose) ? LogLevel.Debug : LogLevel.Warning);
        try
        {
            var result = await work(parsed, log, cancellationToken);
            if (parsed.GetValue(options.Json))
                result.WriteJson(streams.Output);
            else
                result.WriteText(streams.Output);
            return (int)result.ToExitCode();
        }
        catch (UsageException wrong)
        {
            await streams.Error.WriteLineAsync($"kcd: {wrong.Message}");
            return (int)ExitCode.WrongUsage;
        }
        catch (KerberosException error)
        {
            return Fail(parsed, FailureResult.Of(error));
        }
        catch (KcdException failure)
        {
            return Fail(parsed, FailureResult.Of(failure));
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
            failure.WriteJson(streams.Output);
        return (int)failure.ToExitCode();
    }
}
