namespace KcdDelegation.Gateway.Diagnosis;

/// <summary>The event numbers of the gateway's host, 6001 to 6049.</summary>
internal static class GatewayEventId
{
    public const int GatewayStarted = 6001;
    public const int SettingsApplied = 6002;
    public const int SettingsRejected = 6003;
    public const int RoutesRejected = 6004;
    public const int CertificateReplaced = 6005;
    public const int CertificateRejected = 6006;
    public const int ConditionNotMet = 6010;
    public const int HostUnknown = 6011;
    public const int Draining = 6020;
    public const int TicketsPurged = 6021;
    public const int SessionsEnded = 6022;
}
