namespace KcdDelegation.AspNetCore.Health;

/// <summary>The result of one part of the readiness check.</summary>
/// <param name="Subject">What was checked, such as an account or an application.</param>
/// <param name="Severity">Whether it failed.</param>
/// <param name="Cause">The cause of a failure; empty for a success.</param>
/// <param name="Remedy">The steps that correct it; empty for a success.</param>
internal sealed record Finding(string Subject, Severity Severity, string Cause = "", string Remedy = "")
{
    public static Finding Passed(string subject) => new(subject, Severity.Passed);

    public static Finding Failed(string subject, Severity severity, KcdException error) =>
        new(subject, severity, error.Cause, error.Remedy);
}

/// <summary>The effect of a finding on requests.</summary>
internal enum Severity
{
    /// <summary>No effect.</summary>
    Passed,

    /// <summary>Users with cached tickets are served. The cause leads to failures if it lasts.</summary>
    Degraded,

    /// <summary>Users of an account or of an application are not served.</summary>
    Failed,
}
