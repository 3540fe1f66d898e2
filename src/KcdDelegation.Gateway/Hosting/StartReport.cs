using System.Reflection;
using KcdDelegation.Gateway.Diagnosis;
using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Hosting;

/// <summary>Logs that the gateway listens.</summary>
internal sealed class StartReport(
    IHostApplicationLifetime lifetime, IServer server, GatewaySettingsStore settings, ILoggerFactory loggerFactory) : IHostedService
{
    /// <summary>Gets the version of the program.</summary>
    public static string Version { get; } =
        typeof(StartReport).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStarted.Register(Report);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Report() => GatewayLog.GatewayStarted(
        loggerFactory.CreateLogger(GatewayLog.Category), Version,
        string.Join(", ", server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []), settings.Current.Applications.Count);
}
