using KcdDelegation.Kerberos.Names;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The settings that this library reads from krb5.conf: the KDCs and the password servers of realms. Immutable.</summary>
/// <remarks>[domain_realm] is not read. Referrals name the realm of a host, and constrained delegation across realms requires that the
/// account's own KDC is asked first.</remarks>
internal sealed class Krb5Configuration
{
    // The file is read again every minute, so the warnings of one reading are bounded.
    private const int MaxWarnings = 32;

    private readonly Dictionary<string, RealmKdcs> _realms = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, RealmKdcs> _passwordServers = new(StringComparer.OrdinalIgnoreCase);
    private readonly ILogger _logger;
    private int _warnings;

    private Krb5Configuration(ILogger logger) => _logger = logger;

    /// <summary>Returns the files that MIT's library reads: those in KRB5_CONFIG, otherwise /etc/krb5.conf.</summary>
    public static IReadOnlyList<string> SystemPaths() => Environment.GetEnvironmentVariable("KRB5_CONFIG") switch
    {
        { Length: > 0 } list => list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        _ when OperatingSystem.IsWindows() => [],
        _ => ["/etc/krb5.conf"],
    };

    /// <summary>Reads the files in order. A missing file is skipped. The rest of an unreadable file is skipped with a warning.</summary>
    public static Krb5Configuration Load(IReadOnlyList<string> paths, ILogger logger)
    {
        var configuration = new Krb5Configuration(logger);
        var previous = new List<Krb5ConfigurationReader>();
        foreach (var path in paths.Where(File.Exists))
        {
            var reader = new Krb5ConfigurationReader(
                setting => configuration.Take(setting, previous),
                reason => configuration.Warn(() => TransportLog.Krb5ConfigurationIgnored(logger, path, PrintableText.From(reason))));
            try
            {
                reader.Read(path);
            }
            catch (Exception failure) when (failure is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                TransportLog.Krb5ConfigurationIgnored(logger, path, PrintableText.From(failure.Message));
            }
            previous.Add(reader);
            configuration.ReportOmittedWarnings(path);
        }
        foreach (var (realm, kdcs) in configuration._realms)
        {
            if (kdcs.Count > KdcEndpointList.MaxPerRealm)
                TransportLog.KdcsIgnored(logger, kdcs.Count, PrintableText.From(realm), KdcEndpointList.MaxPerRealm, "krb5.conf");
        }
        return configuration;
    }

    /// <summary>Returns the KDCs of a realm, or an empty list.</summary>
    public IReadOnlyList<KdcEndpoint> GetKdcs(string realm) => _realms.GetValueOrDefault(realm)?.ToList() ?? [];

    /// <summary>Returns the password servers (<c>kpasswd_server</c>) of a realm, or an empty list.</summary>
    public IReadOnlyList<KdcEndpoint> GetPasswordServers(string realm) => _passwordServers.GetValueOrDefault(realm)?.ToList() ?? [];

    private void Take(Krb5Setting setting, List<Krb5ConfigurationReader> previous)
    {
        if (setting.Section is ["realms"])
        {
            // krb5.conf(5): the settings of a realm are on lines of their own between braces.
            Warn(() => TransportLog.Krb5RealmIgnored(_logger, PrintableText.From(setting.File), setting.Line,
                PrintableText.From(setting.Name), PrintableText.From(setting.Value)));
            return;
        }
        if (setting.Section is not ["realms", var realm]
            || setting.Name is not ("kdc" or "master_kdc" or "primary_kdc" or "kpasswd_server"))
            return;
        // krb5.conf(5): an asterisk keeps later files from adding to a section or setting.
        if (previous.Exists(reader =>
            reader.IsFinal("realms") || reader.IsFinal("realms", realm) || reader.IsFinal("realms", realm, setting.Name)))
            return;
        var isPasswordServer = setting.Name == "kpasswd_server";
        var realms = isPasswordServer ? _passwordServers : _realms;
        if (!realms.TryGetValue(realm, out var kdcs))
            realms[realm] = kdcs = new RealmKdcs();
        foreach (var text in setting.Value.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (text[0] is '#' or ';')
                break;
            if (KdcEndpoint.TryParse(text, isPasswordServer ? PasswordServers.Port : 88, out var kdc))
                kdcs.Add(kdc, isPrimary: setting.Name is "master_kdc" or "primary_kdc");
            else
            {
                Warn(() => TransportLog.Krb5KdcIgnored(
                    _logger, PrintableText.From(setting.File), setting.Line, setting.Name, PrintableText.From(text),
                    PrintableText.From(realm), DescribeValue(text)));
            }
        }
    }

    private static string DescribeValue(string text) =>
        text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            ? "a KDC proxy (MS-KKDCP), which is not supported"
            : "not a host or address";

    private void Warn(Action log)
    {
        if (_warnings++ < MaxWarnings)
            log();
    }

    private void ReportOmittedWarnings(string path)
    {
        if (_warnings > MaxWarnings)
            TransportLog.Krb5WarningsOmitted(_logger, PrintableText.From(path), _warnings - MaxWarnings);
        _warnings = 0;
    }

    /// <summary>The KDCs of one realm without duplicates. The primary KDC comes last, since it is named in addition to the
    /// others.</summary>
    private sealed class RealmKdcs
    {
        private readonly List<KdcEndpoint> _kdcs = [];
        private readonly List<KdcEndpoint> _primary = [];
        private readonly HashSet<KdcEndpoint> _known = [];

        public int Count => _known.Count;

        public void Add(KdcEndpoint kdc, bool isPrimary)
        {
            if (isPrimary && _primary.Count < KdcEndpointList.MaxPerRealm && !_primary.Contains(kdc))
                _primary.Add(kdc);
            else if (!isPrimary && _kdcs.Count < KdcEndpointList.MaxPerRealm && !_kdcs.Contains(kdc))
                _kdcs.Add(kdc);
            _known.Add(kdc);
        }

        public IReadOnlyList<KdcEndpoint> ToList() => KdcEndpointList.Create(_kdcs.Concat(_primary));
    }
}
