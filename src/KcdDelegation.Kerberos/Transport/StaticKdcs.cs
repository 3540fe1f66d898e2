using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that the options listed when this source was created. Realm names are compared without regard to case.</summary>
internal sealed class StaticKdcs : IKdcLocator
{
    private readonly Dictionary<string, IReadOnlyList<KdcEndpoint>> _kdcs = new(StringComparer.OrdinalIgnoreCase);

    public StaticKdcs(IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs, ILogger logger)
    {
        foreach (var (realm, endpoints) in kdcs)
        {
            _kdcs[realm] = KdcEndpointList.Create(endpoints);
            if (endpoints.Count > KdcEndpointList.MaxPerRealm
                && endpoints.Distinct().Count() is var count and > KdcEndpointList.MaxPerRealm)
                TransportLog.KdcsIgnored(logger, count, realm, KdcEndpointList.MaxPerRealm, "The configuration");
        }
    }

    public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) =>
        new(_kdcs.GetValueOrDefault(realm) ?? []);
}
