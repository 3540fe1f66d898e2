using KcdDelegation.Diagnosis;

namespace KcdDelegation.Yarp.Diagnosis;

/// <summary>The errors of this package.</summary>
internal static class ForwardingErrors
{
    /// <summary>Creates the error of a request whose destination is no longer one of its cluster.</summary>
    public static KcdException DestinationRemoved(string application, string? cluster) => new(new DelegationFailure(
        KcdStage.Target,
        KcdErrorKind.Unavailable,
        YarpEventId.DestinationRemoved,
        $"The destination of a request to '{application}' is no longer one of the cluster '{cluster}'. Nothing was sent.",
        "The configuration changed while the request was waiting. Send it again."));

    /// <summary>Creates the error of a request whose route was chosen before its cluster was delegated.</summary>
    public static KcdException DelegationAdded(string application, string cluster) => new(new DelegationFailure(
        KcdStage.Target,
        KcdErrorKind.Unavailable,
        YarpEventId.DestinationRemoved,
        $"The cluster '{cluster}' was changed to '{application}' while a request was waiting. Nothing was sent.",
        "The configuration changed while the request was waiting. Send it again."));

    public static Exception UnknownApplication(string cluster, string application, IEnumerable<string> known) => new ArgumentException(
        $"Cluster '{cluster}': the metadata KcdApplication is '{application}', which is not in Kcd:Applications "
            + $"({string.Join(", ", known)}). The cluster is not served. Correct the name, or add the application.");

    public static Exception UnknownMetadata(string cluster, string key) => new ArgumentException(
        $"Cluster '{cluster}': the metadata '{key}' is not known. Write KcdApplication.");

    public static Exception FactoryReplaced(string cluster, string service) => new ArgumentException(
        $"Cluster '{cluster}' is delegated, but another {service} was registered after AddKcdDelegation. The cluster is not served. "
            + "Register it before AddKcdDelegation. For settings of the clients, use KcdReverseProxyOptions.ConfigureClient.");

    public static Exception NotSupported(string cluster, string key, string remedy) => new ArgumentException(
        $"Cluster '{cluster}' is delegated: {key} cannot be used. {remedy}.");
}
