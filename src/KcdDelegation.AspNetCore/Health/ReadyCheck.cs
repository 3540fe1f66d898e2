using KcdDelegation.AspNetCore.Diagnosis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KcdDelegation.AspNetCore.Health;

/// <summary>The check <c>ready</c>. Its result names nothing: probers are anonymous. The log has the subject and the cause.</summary>
internal sealed class ReadyCheck(Readiness readiness) : IHealthCheck
{
    private static readonly string s_seeLog = $"The log has the cause (event {WebEventId.HealthCheckFailed}).";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        await readiness.GetAsync(cancellationToken).ConfigureAwait(false) switch
        {
            Severity.Passed => HealthCheckResult.Healthy("Delegation is ready."),
            Severity.Degraded => HealthCheckResult.Degraded($"Delegation works for users with tickets. {s_seeLog}"),
            _ => new HealthCheckResult(context.Registration.FailureStatus, $"Delegation is not ready. {s_seeLog}"),
        };
}
