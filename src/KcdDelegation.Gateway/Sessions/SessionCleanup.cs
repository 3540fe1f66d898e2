using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>Reads the sessions of an earlier process at the start, and removes ended ones every few seconds.</summary>
internal sealed class SessionCleanup(SessionStore store, TimeProvider timeProvider, ILoggerFactory loggerFactory) : BackgroundService
{
    /// <summary>The time between two rounds. A WebSocket outlives its session by no more than this.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly ILogger _logger = loggerFactory.CreateLogger(SessionLog.Category);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var timer = new PeriodicTimer(Interval, timeProvider);
        do
        {
            try
            {
                await store.RemoveEndedAsync(stoppingToken);
            }
            // Any error of the file system. The sessions that can be read are still served.
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                SessionLog.CleanupFailed(_logger, error.Message);
            }
        }
        while (await WaitAsync(timer, stoppingToken));
    }

    private static async Task<bool> WaitAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        // Also after a start that failed, whose reason must not be hidden by this one.
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
