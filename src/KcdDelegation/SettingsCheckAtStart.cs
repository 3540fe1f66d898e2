using KcdDelegation.Settings;
using Microsoft.Extensions.Hosting;

namespace KcdDelegation;

/// <summary>A hosted service that reads the settings when the host starts, so that invalid settings fail the start and not the first
/// request.</summary>
/// <remarks>ValidateOnStart is not used: it would keep an options monitor alive, which throws after every later invalid change.</remarks>
internal sealed class SettingsCheckAtStart(IServiceProvider services) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = services.GetService(typeof(SettingsStore));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
