using System.Net;
using KcdDelegation.Yarp.Diagnosis;
using Yarp.ReverseProxy.Configuration;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>The checks of a delegated cluster's configuration.</summary>
internal static class ClusterValidation
{
    /// <summary>Returns everything in the cluster's configuration that delegation does not support.</summary>
    public static IEnumerable<Exception> FindErrors(ClusterConfig cluster, string application, DelegationClient client)
    {
        var id = cluster.ClusterId;
        var applications = client.Applications;
        var settings = applications.FirstOrDefault(one => string.Equals(one.Name, application, StringComparison.OrdinalIgnoreCase));
        if (settings is null)
        {
            yield return ForwardingErrors.UnknownApplication(id, application, applications.Select(static one => one.Name));
            yield break;
        }
        if (cluster.HttpClient?.WebProxy is not null)
            yield return ForwardingErrors.NotSupported(id, "HttpClient:WebProxy", "Tickets are not sent through a proxy. Remove it");
        if (cluster.HttpRequest is { Version: { } version, VersionPolicy: { } policy } && version > HttpVersion.Version11
            && policy != HttpVersionPolicy.RequestVersionOrLower)
            yield return ForwardingErrors.NotSupported(id, "HttpRequest:VersionPolicy",
                "Tickets are sent with HTTP/1.1. Set RequestVersionOrLower, or remove Version and VersionPolicy");
        foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
        {
            foreach (var (key, text) in ((string, string?)[])[("Address", destination.Address), ("Health", destination.Health)])
            {
                // YARP itself reports an address that is missing or does not parse.
                if (string.IsNullOrEmpty(text) || !Uri.TryCreate(text, UriKind.Absolute, out var address))
                    continue;
                var setting = $"Destinations:{name}:{key}";
                if (address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
                    yield return ForwardingErrors.NotSupported(id, setting, "The address has a user, a query or a fragment. Remove it");
                else if (address.Scheme == Uri.UriSchemeHttp && !settings.AllowPlainHttp)
                    yield return ForwardingErrors.NotSupported(id, setting, $"{address.GetLeftPart(UriPartial.Authority)} is plain http. "
                        + $"Use https, or set Applications:{application}:AllowPlainHttp");
                else if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
                    yield return ForwardingErrors.NotSupported(id, setting, "The address is not http or https. Correct it");
            }
        }
    }
}
