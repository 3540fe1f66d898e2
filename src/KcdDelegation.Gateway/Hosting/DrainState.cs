using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>The stop of the gateway without a lost request: first <c>/health/ready</c> fails, so that a load balancer sends no new
/// requests, then the listener closes, then the requests in flight end.</summary>
internal sealed class DrainState : IHostedLifecycleService
{
    private readonly GatewaySettingsStore _settings;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private volatile bool _isDraining;

    public DrainState(
        GatewaySettingsStore settings, IOptions<HostOptions> host, IHostApplicationLifetime lifetime, TimeProvider timeProvider,
        ILoggerFactory loggerFactory)
    {
        (_settings, _timeProvider, _logger) = (settings, timeProvider, loggerFactory.CreateLogger(GatewayLog.Category));
        settings.Subscribe(current => host.Value.ShutdownTimeout =
            current.Listener.Limits.DrainDelay + current.Listener.Limits.DrainTimeout + TimeSpan.FromSeconds(1));
        lifetime.ApplicationStopping.Register(() => _isDraining = true);
    }

    /// <summary>Gets whether the gateway is about to stop.</summary>
    public bool IsDraining => _isDraining;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _isDraining = true;
        var limits = _settings.Current.Listener.Limits;
        GatewayLog.Draining(_logger, limits.DrainDelay, limits.DrainTimeout);
        await Task.Delay(limits.DrainDelay, _timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
