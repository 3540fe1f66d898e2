using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>What this library takes from krb5.conf: the default realm, and the KDCs of realms. Which realm a host is in ([domain_realm]) is
/// not asked: referrals tell, and a wrong entry there breaks delegation across realms. Immutable.</summary>
internal sealed class Krb5Configuration
{
    private readonly Dictionary<string, List<KdcEndpoint>> _kdcs = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null if none is set.</summary>
    public string? DefaultRealm { get; private set; }

    /// <summary>The files that MIT's library reads: those that KRB5_CONFIG lists, else /etc/krb5.conf.</summary>
    public static IReadOnlyList<string> SystemPaths() => Environment.GetEnvironmentVariable("KRB5_CONFIG") switch
    {
        { Length: > 0 } list => list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        _ when OperatingSystem.IsWindows() => [],
        _ => ["/etc/krb5.conf"],
    };

    /// <summary>Reads the files, the earlier one first. One that is not there is passed over; one that cannot be read is passed over with
    /// a warning: it is the system's file, and what it lacks shows when a KDC is looked for.</summary>
    public static Krb5Configuration Load(IReadOnlyList<string> paths, ILogger logger)
    {
        var configuration = new Krb5Configuration();
        foreach (var path in paths.Where(File.Exists))
        {
            try
            {
                Krb5ConfigurationReader.Read(path, configuration.Take);
            }
            catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                TransportLog.Krb5ConfigurationIgnored(logger, path, failure.Message);
            }
        }
        return configuration;
    }

    public IReadOnlyList<KdcEndpoint> GetKdcs(string realm) => _kdcs.GetValueOrDefault(realm) ?? [];

    private void Take(Krb5Setting setting)
    {
        switch (setting.Section)
        {
            // As in MIT's library the first value counts, and lists grow.
            case ["libdefaults"] when setting.Name == "default_realm":
                DefaultRealm ??= setting.Value;
                break;
            // What is no host, such as the URL of a proxy, is not for this transport.
            case ["realms", var realm] when setting.Name == "kdc" && KdcEndpoint.TryParse(setting.Value, null, out var kdc):
                if (!_kdcs.TryGetValue(realm, out var kdcs))
                    _kdcs[realm] = kdcs = [];
                if (!kdcs.Contains(kdc))
                    kdcs.Add(kdc);
                break;
        }
    }
}
