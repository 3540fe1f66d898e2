using System.Diagnostics.Metrics;

namespace KcdDelegation.Telemetry;

/// <summary>The instruments of the library, in the meter <see cref="KcdTelemetry.Name"/>. No tag contains a user's name.</summary>
internal static class DelegationMetrics
{
    private static readonly Meter s_meter = new(KcdTelemetry.Name);

    private static readonly Counter<long> s_refusals =
        s_meter.CreateCounter<long>("kcd.refusals", "{refusal}", "Requests that were refused by the gateway, by event number.");

    private static readonly Counter<long> s_backendRefusals =
        s_meter.CreateCounter<long>("kcd.backend.refusals", "{response}", "Responses in which a backend refused the ticket.");

    /// <summary>The size of each <c>Authorization</c> value in bytes. To record costs one check while no listener is attached.</summary>
    /// <remarks>The bounds are common limits of servers for a request's header: 4, 8, 12, 16, 32 and 64 KiB.</remarks>
    public static readonly Histogram<int> HeaderSize = s_meter.CreateHistogram(
        "kcd.header.size", "By", "The size of the Authorization values that were created.", tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [1024, 2048, 4096, 8192, 12288, 16384, 32768, 65536] });

    /// <summary>Counts a refusal.</summary>
    /// <param name="eventId">The event number.</param>
    /// <param name="kind">The kind of the failure, as in the tag <c>kcd.outcome</c> of spans.</param>
    /// <param name="application">The application's name in the options; null if the refusal concerns none.</param>
    public static void Refused(int eventId, string kind, string? application)
    {
        if (application is null)
            s_refusals.Add(1, new("kcd.event", eventId), new("kcd.outcome", kind));
        else
            s_refusals.Add(1, new("kcd.event", eventId), new("kcd.outcome", kind), new("kcd.application", application));
    }

    /// <summary>Counts a response in which the backend refused the ticket.</summary>
    public static void BackendRefused(int eventId, int statusCode) =>
        s_backendRefusals.Add(1, new("kcd.event", eventId), new("http.response.status_code", statusCode));
}
