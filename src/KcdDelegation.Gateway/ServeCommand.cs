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
    public static async Task<ExitCode> RunAsync(
        GatewaySettingsFile file, LoadedSettings loaded, TextWriter error, CancellationToken cancellationToken)
    {
        await using var app = GatewayHost.Create(file, loaded, AddConsole);
        try
        {
            await app.StartAsync(cancellationToken);
        }
        // Kestrel reports an address that is in use, and the system one that it does not have or does not allow.
        catch (Exception problem) when (problem is IOException or SocketException)
        {
            await error.WriteLineAsync($"The listener did not start: {problem.Message} Correct Listener:Urls, or stop the other program.");
            return ExitCode.Refused;
        }
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>Logs to the standard output, for systemd with the levels that the journal reads.</summary>
    private static void AddConsole(WebApplicationBuilder builder)
    {
        if (Environment.GetEnvironmentVariable("JOURNAL_STREAM") is { Length: > 0 })
            builder.Logging.AddSystemdConsole(static console => console.IncludeScopes = false);
        else
            builder.Logging.AddSimpleConsole(static console =>
            {
                console.SingleLine = true;
                console.ColorBehavior = LoggerColorBehavior.Disabled;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            });
    }
}
