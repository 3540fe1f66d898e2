using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace KcdDelegation.Telemetry;

/// <summary>A span of one step of a delegated request, in the caller's trace. Empty while nothing listens.</summary>
/// <remarks>Tags have the stage, the application, the realm, the service and the outcome. Names of users are never tags.</remarks>
internal readonly struct DelegationSpan : IDisposable
{
    public const string Token = "kcd.token";
    public const string Mapping = "kcd.mapping";
    public const string Ticket = "kcd.ticket";
    public const string Header = "kcd.header";

    public const string IdentityStage = "identity";
    public const string DelegationStage = "delegation";

    private const string Outcome = "kcd.outcome";

    private static readonly ActivitySource s_source = new(KcdTelemetry.Name);

    private readonly Activity? _activity;

    private DelegationSpan(Activity? activity) => _activity = activity;

    /// <summary>Starts a span as a child of the current one.</summary>
    /// <param name="name">The step.</param>
    /// <param name="stage">The stage at which a failure of the step is reported.</param>
    /// <param name="application">The application's name in the options; null if it is not known.</param>
    /// <param name="realm">The realm; null if it is not known.</param>
    /// <param name="service">The service principal name, which is converted only while something listens; null if it is not known.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DelegationSpan Start(string name, string stage, string? application, string? realm, object? service) =>
        s_source.HasListeners() ? Create(name, stage, application, realm, service) : default;

    /// <summary>Records the failure of the step.</summary>
    /// <param name="outcome">The kind of the failure.</param>
    /// <param name="errorType">The event number, or the name of the exception's type.</param>
    public void Fail(string outcome, string errorType)
    {
        if (_activity is not { } activity)
            return;
        activity.SetTag(Outcome, outcome);
        activity.SetTag("error.type", errorType);
        activity.SetStatus(ActivityStatusCode.Error);
    }

    /// <summary>Records that the ticket was purged or has expired before the header was created.</summary>
    public void FailDropped() => Fail("unavailable", nameof(InvalidOperationException));

    /// <summary>Ends the span. Its outcome is <c>ok</c> unless a failure was recorded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose()
    {
        if (_activity is not null)
            End(_activity);
    }

    private static DelegationSpan Create(string name, string stage, string? application, string? realm, object? service)
    {
        var activity = s_source.StartActivity(name);
        activity?.SetTag("kcd.stage", stage);
        if (application is not null)
            activity?.SetTag("kcd.application", application);
        if (realm is not null)
            activity?.SetTag("kcd.realm", realm);
        if (service is not null)
            activity?.SetTag("kcd.service", service.ToString());
        return new DelegationSpan(activity);
    }

    private static void End(Activity activity)
    {
        if (activity.Status != ActivityStatusCode.Error)
            activity.SetTag(Outcome, "ok");
        activity.Dispose();
    }
}
