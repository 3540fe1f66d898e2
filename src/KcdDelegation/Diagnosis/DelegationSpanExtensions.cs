using System.Globalization;
using KcdDelegation.Telemetry;

namespace KcdDelegation.Diagnosis;

/// <summary>The outcome of failed steps in spans and metrics.</summary>
internal static class DelegationSpanExtensions
{
    /// <summary>Records an exception: the kind and the event number of a refusal, or the type of another exception.</summary>
    public static void Fail(this in DelegationSpan span, Exception error)
    {
        if (error is KcdException refusal)
            span.Fail(GetTag(refusal.Kind), refusal.EventId.ToString(CultureInfo.InvariantCulture));
        else
            span.Fail(error is OperationCanceledException ? "cancelled" : "failed", error.GetType().Name);
    }

    /// <summary>Returns the value of the tag <c>kcd.outcome</c>.</summary>
    public static string GetTag(this KcdErrorKind kind) => kind switch
    {
        KcdErrorKind.Configuration => "configuration",
        KcdErrorKind.UserNotPermitted => "user_not_permitted",
        KcdErrorKind.BadRequest => "bad_request",
        KcdErrorKind.Unavailable => "unavailable",
        _ => "not_authenticated",
    };
}
