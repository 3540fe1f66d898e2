using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The last addresses of hosts, for when their names cannot be resolved: a KDC outlives an outage of DNS, and not every system
/// (a container's, say) keeps answers itself. An address that is no longer the KDC's does no harm: a KDC proves itself with its keys. Thread-safe.</summary>
/// <param name="resolve">Who is asked first.</param>
/// <param name="timing">How long a resolver may take while there are addresses to use instead, and how long one that failed is left alone.</param>
/// <param name="time">Measures both.</param>
internal sealed class LastKnownAddresses(HostResolver resolve, KdcTiming timing, TimeProvider time)
{
    // KDCs come from configuration and DNS: whatever those say, this does not grow without end.
    private const int MaxHosts = 1024;

    private readonly ConcurrentDictionary<string, Known> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The host's addresses by the resolver; where that fails, those that it gave last.</summary>
    /// <exception cref="SocketException">It failed and had never succeeded.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (!_hosts.TryGetValue(host, out var known))
            return await AskAsync(host, cancellationToken).ConfigureAwait(false);
        if (known.Failed is { } failed && time.GetElapsedTime(failed) < timing.RetryFailedAfter)
            return known.Addresses;

        // Goes on when nobody waits any more: what a slow resolver says late is kept for the next.
        var asking = AskAsync(host, CancellationToken.None);
        _ = ObserveAsync(asking);
        try
        {
            return await asking.WaitAsync(timing.ResolverPatience, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException)
        {
            // Not over newer ones that came meanwhile.
            _hosts.TryUpdate(host, known with { Failed = time.GetTimestamp() }, known);
            return known.Addresses;
        }
    }

    private async Task<IPAddress[]> AskAsync(string host, CancellationToken cancellationToken)
    {
        var addresses = await resolve(host, cancellationToken).ConfigureAwait(false);
        if (_hosts.Count >= MaxHosts && !_hosts.ContainsKey(host))
            _hosts.Clear();
        _hosts[host] = new Known(addresses, Failed: null);
        return addresses;
    }

    private static async Task ObserveAsync(Task asking) => await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <param name="Addresses">At least one.</param>
    /// <param name="Failed">When the resolver failed last; null: it has not since it gave these.</param>
    private sealed record Known(IPAddress[] Addresses, long? Failed);
}
