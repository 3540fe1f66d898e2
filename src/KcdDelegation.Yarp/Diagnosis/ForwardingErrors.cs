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

    /// <summary>Creates the error of a request whose cluster is delegated and whose route is not.</summary>
    public static KcdException RouteNotDelegated(string application, string cluster) => new(new DelegationFailure(
        KcdStage.Target,
        KcdErrorKind.Unavailable,
        YarpEventId.DestinationRemoved,
        $"The cluster '{cluster}' is delegated to '{application}', but the route of a request was built without delegation. "
            + "Nothing was sent.",
        "If the configuration has just changed, send the request again. If the host calls ReassignProxyRequest, set KcdApplication on the "
            + "cluster of the route too."));

    /// <summary>Creates the error of a user's request that the host has marked as anonymous.</summary>
    public static KcdException UserMarkedAnonymous(string application) => new(new DelegationFailure(
        KcdStage.Target,
        KcdErrorKind.Configuration,
        KcdEventId.RequestRefused,
        $"A transform or handler of the host has marked the request of a user to '{application}' as anonymous. Nothing was sent.",
        "Call SetAnonymous only for requests without a signed-in user, such as health probes."));

    /// <summary>Creates the error of applications that have neither an address nor a cluster.</summary>
    public static Exception NoAddress(IEnumerable<string> applications) => new InvalidOperationException(string.Join(
        Environment.NewLine,
        applications.Select(static name =>
            $"Kcd:Applications:{name}:InternalUrl is missing, and no cluster of the reverse proxy names the application. No request can be "
                + $"sent to it. Set the metadata KcdApplication of a cluster to \"{name}\", or write the backend's address, such as "
                + "https://erp.contoso.com/.")));

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
