namespace KcdDelegation;

/// <summary>The names of the meters and activity sources, for <c>AddMeter</c> and <c>AddSource</c> of OpenTelemetry.</summary>
public static class KcdTelemetry
{
    /// <summary>The meter and the activity source of this library: refusals, header sizes, and the spans of a delegated request.</summary>
    public const string Name = "KcdDelegation";

    /// <summary>The meter and the activity source of the Kerberos engine: the ticket cache, and the exchanges with KDCs.</summary>
    public const string KerberosName = "KcdDelegation.Kerberos";
}
