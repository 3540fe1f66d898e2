using System.Net.Sockets;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.DirectoryServices.Client;

/// <summary>The servers of the domain, configured or from DNS. A server that failed is asked last for a while. Thread-safe.</summary>
internal sealed class ServerList(DirectoryClientOptions options, DnsClient dns)
{
    private const int MaxServers = 16;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan QuarantineTime = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<DirectoryServer, long> _failures = [];
    private IReadOnlyList<DirectoryServer>? _found;
    private long _foundAt;

    /// <summary>Returns the servers in the order to try.</summary>
    /// <exception cref="DirectoryException">There is none.</exception>
    public async ValueTask<IReadOnlyList<DirectoryServer>> GetAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<DirectoryServer> servers = options.Servers.Count > 0
            ? [.. options.Servers]
            : await FindAsync(cancellationToken).ConfigureAwait(false);
        lock (_lock)
        {
            return [.. servers.OrderBy(server =>
                _failures.TryGetValue(server, out var at) && options.TimeProvider.GetElapsedTime(at) < QuarantineTime ? 1 : 0)];
        }
    }

    public void ReportFailure(DirectoryServer server)
    {
        lock (_lock)
            _failures[server] = options.TimeProvider.GetTimestamp();
    }

    public void ReportSuccess(DirectoryServer server)
    {
        lock (_lock)
            _failures.Remove(server);
    }

    private async ValueTask<IReadOnlyList<DirectoryServer>> FindAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_found is { } known && options.TimeProvider.GetElapsedTime(_foundAt) < Lifetime)
                return known;
        }
        try
        {
            return await FindInDnsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryException) when (_found is not null)
        {
            // While DNS is away, the last servers are still better than none.
            return _found;
        }
    }

    private async ValueTask<IReadOnlyList<DirectoryServer>> FindInDnsAsync(CancellationToken cancellationToken)
    {
        // MS-ADTS §6.3.2.3: domain controllers register the first name; other directories only the second one (RFC 2782).
        var found = await QueryAsync($"_ldap._tcp.dc._msdcs.{options.Domain}", cancellationToken).ConfigureAwait(false);
        if (found.Count == 0)
            found = await QueryAsync($"_ldap._tcp.{options.Domain}", cancellationToken).ConfigureAwait(false);
        if (found.Count == 0)
        {
            throw new DirectoryException(
                DirectoryFailure.Unavailable, options.Domain, "DNS has no record _ldap._tcp.dc._msdcs or _ldap._tcp of the domain",
                "Correct the name of the domain or the name server of this machine, or configure the servers");
        }
        lock (_lock)
            (_found, _foundAt) = (found, options.TimeProvider.GetTimestamp());
        return found;
    }

    private async ValueTask<IReadOnlyList<DirectoryServer>> QueryAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var records = await dns.FindServicesAsync(name, cancellationToken).ConfigureAwait(false);
            // The records name the port without TLS.
            return [.. SrvRecord.Order(records.Where(static record => record.Port != 0 && DirectoryServer.IsHostName(record.Target)))
                .Select(record => new DirectoryServer(record.Target.TrimEnd('.'), options.UseTls ? null : record.Port))
                .Distinct()
                .Take(MaxServers)];
        }
        catch (Exception error) when (error is InvalidDataException or SocketException or IOException or TimeoutException)
        {
            throw new DirectoryException(
                DirectoryFailure.Unavailable, options.Domain, $"DNS could not be asked for {name}: the name server {error.Message}",
                "Check the name server of this machine, or configure the servers", error);
        }
    }
}
