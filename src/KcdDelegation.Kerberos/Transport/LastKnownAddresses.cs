using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>A host resolver that falls back to the addresses it returned last. Thread-safe.</summary>
/// <remarks>KDCs stay reachable during a DNS outage, also where the system has no resolver cache (containers). A stale address is harmless,
/// since every KDC proves its identity with its keys.</remarks>
/// <param name="resolve">The resolver to ask first.</param>
/// <param name="timing">The resolver's time-out, and the interval after which a failed resolver is asked again.</param>
/// <param name="time">The clock and timers.</param>
internal sealed class LastKnownAddresses(HostResolver resolve, KdcTiming timing, TimeProvider time)
{
    // KDCs come from configuration and DNS. The bound holds whatever those contain.
    private const int MaxHosts = 1024;

    private readonly ConcurrentDictionary<string, Known> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the host's addresses from the resolver or, if the resolver fails, the addresses it returned last.</summary>
    /// <exception cref="SocketException">The resolver failed and has never succeeded for this host.</exception>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (!_hosts.TryGetValue(host, out var known))
            return await AskAsync(host, cancellationToken).ConfigureAwait(false);
        if (known.Failed is { } failed && time.GetElapsedTime(failed) < timing.RetryFailedAfter)
            return known.Addresses;

        // The look-up continues after the time-out. A late answer is kept for the next request.
        var asking = AskAsync(host, CancellationToken.None);
        _ = ObserveAsync(asking);
        try
        {
            return await asking.WaitAsync(timing.ResolverTimeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is SocketException or TimeoutException)
        {
            // TryUpdate does not overwrite addresses that arrived in the meantime.
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

    /// <param name="Addresses">At least one address.</param>
    /// <param name="Failed">The time of the resolver's last failure, or null if it has not failed since it returned the addresses.</param>
    private sealed record Known(IPAddress[] Addresses, long? Failed);
}
