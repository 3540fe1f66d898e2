using System.Net.Sockets;
using KcdDelegation.Gateway.Commands;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace KcdDelegation.Gateway;

/// <summary>Serves the applications until the process is told to stop.</summary>
internal static class ServeCommand
{
    /// <summary>The settings with addresses to listen at.</summary>
    private const string Addresses = "Listener:Urls, ForwardAuthentication:Urls and Operation:Prometheus";

    public static async Task<ExitCode> RunAsync(
        GatewaySettingsFile file, LoadedSettings loaded, TextWriter error, CancellationToken cancellationToken)
    {
        await using var app = GatewayHost.Create(file, loaded, builder => AddConsole(builder.Logging, loaded.Settings.Operation.Log));
        try
        {
            await app.StartAsync(cancellationToken);
        }
        // Kestrel reports an address that is in use, and the system one that it does not have or does not allow.
        catch (Exception problem) when (problem is IOException or SocketException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync(
                $"The listener did not start: {problem.Message} Correct the addresses in {Addresses}, or stop the other program.");
            return ExitCode.Refused;
        }
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Logs to the standard output.</summary>
    private static void AddConsole(ILoggingBuilder logging, LogFormat format)
    {
        const string Timestamp = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        // systemd sets the variable if the output is its journal (systemd.exec(5)).
        var isJournal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 };
        switch (format)
        {
            case LogFormat.Json:
                logging.AddJsonConsole(static console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, Timestamp.TrimEnd()));
                break;
            case LogFormat.Systemd:
            case LogFormat.Auto when isJournal:
                logging.AddSystemdConsole();
                break;
            default:
                logging.AddSimpleConsole(static console =>
                {
                    (console.SingleLine, console.ColorBehavior) = (true, LoggerColorBehavior.Disabled);
                    (console.UseUtcTimestamp, console.TimestampFormat) = (true, Timestamp);
                });
                break;
        }
    }
}
