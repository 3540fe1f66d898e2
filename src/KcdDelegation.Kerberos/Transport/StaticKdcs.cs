namespace KcdDelegation.Kerberos.Transport;

/// <summary>The KDCs that the options list, as they were when this was made. Realms are found whatever their case.</summary>
internal sealed class StaticKdcs : IKdcLocator
{
    private readonly Dictionary<string, IReadOnlyList<KdcEndpoint>> _kdcs = new(StringComparer.OrdinalIgnoreCase);

    public StaticKdcs(IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs)
    {
        foreach (var (realm, endpoints) in kdcs)
            _kdcs[realm] = endpoints.Distinct().ToList();
    }

    public ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken) =>
        new(_kdcs.GetValueOrDefault(realm) ?? []);
}
