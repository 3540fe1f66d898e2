namespace KcdDelegation.Kerberos.Transport;

/// <summary>Several places, of which the first that knows a realm is believed: what an administrator wrote down goes before what is found.</summary>
internal sealed class FirstKnownKdcs(params IReadOnlyList<IKdcLocator> places) : IKdcLocator
{
    public async ValueTask<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        foreach (var place in places)
        {
            if (await place.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } kdcs)
                return kdcs;
        }
        return [];
    }
}
