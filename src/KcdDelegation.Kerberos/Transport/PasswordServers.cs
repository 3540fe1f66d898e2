using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The password servers of a realm (RFC 3244): the configured ones, otherwise those of krb5.conf, otherwise port 464 of the KDCs
/// that are configured or in krb5.conf, otherwise those in DNS.</summary>
/// <remarks>In DNS they are the targets of <c>_kpasswd._tcp</c> and <c>_kpasswd._udp</c>, otherwise port 464 of the KDCs.</remarks>
internal sealed class PasswordServers(
    IReadOnlyList<KdcEndpoint> configured, IKdcLocator inKrb5Configuration, IKdcLocator knownKdcs, IKdcLocator passwordServersInDns,
    IKdcLocator kdcsInDns)
{
    /// <summary>kpasswd (RFC 3244 §1).</summary>
    public const int Port = 464;

    public static PasswordServers Create(
        IReadOnlyList<KdcEndpoint> configured, IEnumerable<KeyValuePair<string, IReadOnlyList<KdcEndpoint>>> kdcs, TimeProvider time,
        ILogger logger)
    {
        var dns = new DnsClient(DnsClient.SystemServers, time);
        var files = Krb5Configuration.SystemPaths();
        return new PasswordServers(
            configured,
            new Krb5ConfigurationKdcs(files, time, logger, isForPasswords: true),
            new FirstKnownKdcs(new StaticKdcs(kdcs, logger), new Krb5ConfigurationKdcs(files, time, logger)),
            new DnsKdcs(dns, time, logger, "_kpasswd"),
            new DnsKdcs(dns, time, logger));
    }

    /// <summary>Returns the servers in the order in which to try them.</summary>
    /// <exception cref="KerberosException">None is known (<see cref="KerberosFailureReason.KdcNotFound"/>).</exception>
    public async Task<IReadOnlyList<KdcEndpoint>> FindAsync(string realm, CancellationToken cancellationToken)
    {
        if (configured.Count > 0)
            return configured;
        if (await inKrb5Configuration.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } listed)
            return listed;
        if (await knownKdcs.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } known)
            return OnPasswordPort(known);
        if (await passwordServersInDns.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } servers)
            return servers;
        if (await kdcsInDns.FindAsync(realm, cancellationToken).ConfigureAwait(false) is { Count: > 0 } found)
            return OnPasswordPort(found);
        throw new KerberosException(new KerberosFailure
        {
            Exchange = KerberosExchange.KdcLookup,
            Reason = KerberosFailureReason.KdcNotFound,
            Realm = realm,
            Detail = $"no password server of {realm} is known: none is configured, no KDC is configured, and DNS has no SRV records " +
                $"_kpasswd._tcp.{realm}; list the realm's password servers in the options",
        });
    }

    private static IReadOnlyList<KdcEndpoint> OnPasswordPort(IReadOnlyList<KdcEndpoint> kdcs) =>
        [.. kdcs.Select(static kdc => new KdcEndpoint(kdc.Host, Port)).Distinct()];
}
