using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KcdDelegation.AspNetCore.Health;

/// <summary>The check <c>live</c>. It asks nothing outside of the process: a restart does not repair a directory.</summary>
internal sealed class LiveCheck : IHealthCheck
{
    private static readonly Task<HealthCheckResult> s_healthy = Task.FromResult(HealthCheckResult.Healthy("The process runs."));

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => s_healthy;
}
