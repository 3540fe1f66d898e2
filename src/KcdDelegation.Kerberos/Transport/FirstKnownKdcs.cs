namespace KcdDelegation.Kerberos.Transport;

/// <summary>An ordered list of KDC sources. The first source that knows a realm wins, so configuration precedes discovery.</summary>
internal sealed class FirstKnownKdcs(params IReadOnlyList<IKdcLocator> sources) : IKdcLocator
{
    public async ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        foreach (var source in sources)
        {
            if (await source.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } kdcs)
                return kdcs;
        }
        return [];
    }
}
