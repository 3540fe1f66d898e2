using System.Runtime.InteropServices;
using KcdDelegation.Gateway.Settings;
using Microsoft.Extensions.Hosting;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Looks for changes of the settings and certificates, and reads them again after SIGHUP.</summary>
/// <remarks>The contents are compared. Notifications of the file system do not report a file that is replaced by a symbolic link, as in
/// containers, or on a network.</remarks>
internal sealed class FileWatcher(GatewaySettingsStore settings, ServerCertificates certificates, TimeProvider timeProvider)
    : BackgroundService
{
    /// <summary>The time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            settings.Reload(always: true);
            certificates.Refresh();
        });
        using var timer = new PeriodicTimer(Interval, timeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                settings.Reload();
                certificates.Refresh();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The gateway stops.
        }
    }
}
