using KcdDelegation.Settings;
using Microsoft.Extensions.Hosting;

namespace KcdDelegation;

/// <summary>Reads the settings when the host starts, so that wrong ones are its failure and not the first user's. ValidateOnStart would keep
/// an options monitor alive, which throws at every later bad edit.</summary>
internal sealed class SettingsCheckAtStart(IServiceProvider services) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _ = services.GetService(typeof(SettingsStore));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
