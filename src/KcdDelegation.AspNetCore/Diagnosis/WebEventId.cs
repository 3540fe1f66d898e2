namespace KcdDelegation.AspNetCore.Diagnosis;

/// <summary>The event numbers of this assembly, 5000 to 5099.</summary>
internal static class WebEventId
{
    public const int ErrorAnswered = 5001;
    public const int ResponseAborted = 5002;
    public const int ErrorPageFailed = 5003;
    public const int SessionEnded = 5010;
    public const int HealthCheckFailed = 5020;
    public const int HealthCheckRecovered = 5021;
}
