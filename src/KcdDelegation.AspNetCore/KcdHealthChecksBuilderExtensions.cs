using KcdDelegation;
using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Health;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health checks of Kerberos constrained delegation.</summary>
public static class KcdHealthChecksBuilderExtensions
{
    /// <summary>Adds <c>kcd-live</c> with the tag <c>live</c>, and <c>kcd-ready</c> with the tag <c>ready</c>.</summary>
    /// <remarks><c>kcd-live</c> asks nothing outside of the process. <c>kcd-ready</c> checks that each account is logged on, KDCs answer,
    /// the clocks agree, and a probe user gets a ticket for each application. It uses cached tickets, and repeats a failed log-on at most
    /// once a minute.</remarks>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="configure">Sets the options, such as the probe user.</param>
    /// <param name="failureStatus">The status of a failed check; null for <see cref="HealthStatus.Unhealthy"/>.</param>
    public static IHealthChecksBuilder AddKcdDelegation(
        this IHealthChecksBuilder builder, Action<KcdHealthOptions>? configure = null, HealthStatus? failureStatus = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var options = builder.Services.AddOptions<KcdHealthOptions>();
        if (configure is not null)
            options.Configure(configure);
        builder.Services.TryAddSingleton(provider => new Readiness(
            provider.GetRequiredService<DelegationClient>(),
            provider.GetRequiredService<IOptions<KcdHealthOptions>>(),
            provider.GetRequiredService<ILoggerFactory>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System));
        builder.Add(new HealthCheckRegistration("kcd-live", static _ => new LiveCheck(), failureStatus, ["live"]));
        builder.Add(new HealthCheckRegistration(
            "kcd-ready", static provider => new ReadyCheck(provider.GetRequiredService<Readiness>()), failureStatus, ["ready"]));
        return builder;
    }
}
