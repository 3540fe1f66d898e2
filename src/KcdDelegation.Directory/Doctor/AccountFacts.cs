using System.Net;
using System.Net.Sockets;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Transport;
using KcdDelegation.Settings;
using KcdDelegation.Tickets;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The facts about one delegating account and its realm. Each is found once, when it is needed first. Not thread-safe.</summary>
internal sealed class AccountFacts : IAsyncDisposable
{
    private readonly DoctorRequest _request;
    private readonly ServiceClient _client;
    private List<RootEntry> _controllers = [];
    private DirectoryException? _rootFailure;
    private Task<IReadOnlyList<KdcState>>? _kdcs;
    private Task<KerberosException?>? _logOn;
    private Task<DirectoryState>? _directory;
    private Task<AccountRecord?>? _record;

    public AccountFacts(DoctorRequest request, ClientSettings settings)
    {
        (_request, Settings) = (request, settings);
        // A client of an account that changes its own password would change it on schedule. The doctor changes nothing.
        _client = new ServiceClient(
            settings with { PasswordRoll = null }, request.LoggerFactory, request.TimeProvider, static _ => { });
    }

    public ClientSettings Settings { get; }

    public S4UClient Client => _client.Client;

    public string Realm => Settings.Realm;

    /// <summary>Gets the domain: in Active Directory, the realm is its DNS name in capitals.</summary>
    public string Domain => Realm.ToLowerInvariant();

    public string Name => Settings.AccountName;

    /// <summary>Gets the hosts of KDCs that are controllers of another domain, with the distinguished name of that domain.</summary>
    public IReadOnlyList<(string Host, string Domain)> ForeignControllers { get; private set; } = [];

    /// <summary>Gets the implementation of the KDCs, as far as their answers have shown it.</summary>
    public KdcSoftware Software { get; private set; }

    /// <summary>Asks each KDC by itself, without proving a key.</summary>
    public Task<IReadOnlyList<KdcState>> GetKdcsAsync(CancellationToken cancellationToken) =>
        _kdcs ??= AskKdcsAsync(cancellationToken);

    /// <summary>Returns whether a KDC of the realm answers over TCP.</summary>
    public async Task<bool> IsAnsweringAsync(CancellationToken cancellationToken) =>
        (await GetKdcsAsync(cancellationToken).ConfigureAwait(false)).Any(kdc => kdc.Tcp is not null);

    /// <summary>Logs the account on, once in a run. Returns the failure, or null.</summary>
    public Task<KerberosException?> GetLogOnFailureAsync(CancellationToken cancellationToken) =>
        _logOn ??= LogOnAsync(cancellationToken);

    /// <summary>Finds the directory of the domain.</summary>
    public Task<DirectoryState> GetDirectoryAsync(CancellationToken cancellationToken) =>
        _directory ??= FindDirectoryAsync(cancellationToken);

    /// <summary>Returns the largest difference between a KDC's clock and this machine's; zero if no answer has a time.</summary>
    public async Task<TimeSpan> GetClockDifferenceAsync(CancellationToken cancellationToken) =>
        (await GetKdcsAsync(cancellationToken).ConfigureAwait(false))
            .Select(kdc => kdc.ClockOffset?.Duration() ?? TimeSpan.Zero).DefaultIfEmpty().Max();

    /// <summary>Reads the account's own entry; null without a directory.</summary>
    public Task<AccountRecord?> GetRecordAsync(CancellationToken cancellationToken) => _record ??= FindRecordAsync(cancellationToken);

    /// <summary>Creates the failure whose names fill in the commands of a remedy.</summary>
    public KerberosException Describe(KerberosFailure failure)
    {
        var described = Client.Describe(failure, failure.Realm ?? Realm);
        return new KerberosException(described with { KdcSoftware = Software == KdcSoftware.Unknown ? described.KdcSoftware : Software });
    }

    /// <summary>Creates the failure of a log-on for which the KDC has no key of a type that this client supports.</summary>
    private KerberosException DescribeMissingKeys() => Describe(new KerberosFailure
    {
        Exchange = KerberosExchange.LogOn,
        Reason = KerberosFailureReason.EncryptionTypeRefused,
        Detail = "the KDC has no AES key for the account; it may have RC4 keys only",
    });

    /// <summary>Adds the implementation of the KDCs to a failure that may have occurred before one was asked. It selects the commands of
    /// the
    /// remedy.</summary>
    public KerberosException WithSoftware(KerberosException error) => Software == KdcSoftware.Unknown
        ? error
        : new KerberosException(error.Failure with { KdcSoftware = Software }, error.InnerException);

    public async ValueTask DisposeAsync()
    {
        if (_directory is { IsCompletedSuccessfully: true } found && (await found.ConfigureAwait(false)).Facts is { } facts)
            await facts.DisposeAsync().ConfigureAwait(false);
        await _client.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<KdcState>> AskKdcsAsync(CancellationToken cancellationToken)
    {
        var kdcs = await Client.FindKdcsAsync(Realm, cancellationToken).ConfigureAwait(false);
        var states = await Task.WhenAll(kdcs.Select(kdc => AskAsync(kdc, cancellationToken))).ConfigureAwait(false);
        Software = Client.Describe(new KerberosFailure(), Realm).KdcSoftware;
        if (Software is not (KdcSoftware.MitKrb5 or KdcSoftware.Heimdal))
            await ReadRootsAsync(kdcs, cancellationToken).ConfigureAwait(false);
        return states;
    }

    /// <summary>Asks each host of a KDC whether it is a controller of the domain. Samba's answers look like those of Windows until
    /// then.</summary>
    private async Task ReadRootsAsync(IReadOnlyList<KdcEndpoint> kdcs, CancellationToken cancellationToken)
    {
        var roots = await Task.WhenAll(kdcs.Select(kdc => kdc.Host).Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(host => ReadRootAsync(host, cancellationToken))).ConfigureAwait(false);
        var expected = DomainName.ToDistinguishedName(Domain);
        // The names are not authenticated. A name outside the domain would make this program get a ticket to any server that answers.
        _controllers = [.. roots.Select(root => root.Root).OfType<RootEntry>()
            .Where(root => string.Equals(root.Domain, expected, StringComparison.OrdinalIgnoreCase)
                && root.HostName?.EndsWith("." + Domain, StringComparison.OrdinalIgnoreCase) == true)];
        ForeignControllers = [.. roots.Select(root => root.Root).OfType<RootEntry>()
            .Where(root => root.Domain is { } domain && !string.Equals(domain, expected, StringComparison.OrdinalIgnoreCase))
            .Select(root => (root.HostName ?? $"{root.Address}", root.Domain!))];
        _rootFailure = roots.Select(root => root.Failure).OfType<DirectoryException>().FirstOrDefault();
        if (_controllers.Exists(controller => controller.IsSamba))
            Software = KdcSoftware.Samba;
        else if (_controllers.Count > 0)
            Software = KdcSoftware.ActiveDirectory;
    }

    private async Task<KdcState> AskAsync(KdcEndpoint kdc, CancellationToken cancellationToken)
    {
        IPAddress[] addresses;
        try
        {
            addresses = await SystemHostResolver.ResolveAsync(kdc.Host, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            var unknown = new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.KdcUnreachable,
                Detail = $"the name {kdc.Host} has no address",
            });
            return new KdcState(kdc, [], null, unknown, null, unknown);
        }
        var tcp = TryAsync(KdcTransport.Tcp);
        var udp = TryAsync(KdcTransport.Udp);
        var (tcpAnswer, tcpFailure) = await tcp.ConfigureAwait(false);
        var (udpAnswer, udpFailure) = await udp.ConfigureAwait(false);
        var state = new KdcState(kdc, addresses, tcpAnswer, tcpFailure, udpAnswer, udpFailure);
        return state with { ClockOffset = state.Answer?.ServerTime - _request.TimeProvider.GetUtcNow() };

        async Task<(Kerberos.Exchanges.KdcAnswer? Answer, KerberosException? Failure)> TryAsync(KdcTransport transport)
        {
            try
            {
                return (await Client.AskKdcAsync(kdc, transport, _request.AnswerTimeout, cancellationToken).ConfigureAwait(false), null);
            }
            catch (KerberosException error)
            {
                return (null, error);
            }
        }
    }

    private async Task<KerberosException?> LogOnAsync(CancellationToken cancellationToken)
    {
        var kdcs = await GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Client.LogOnAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (KerberosException error)
        {
            // A keytab without AES keys is a consequence where the KDC has none either: exporting it again would not help.
            return error.Reason == KerberosFailureReason.KeyUnavailable && kdcs.Any(kdc => kdc.Answer is { HasNoKey: true })
                ? DescribeMissingKeys()
                : error;
        }
        finally
        {
            if (Software == KdcSoftware.Unknown)
                Software = Client.Describe(new KerberosFailure(), Realm).KdcSoftware;
        }
    }

    private async Task<AccountRecord?> FindRecordAsync(CancellationToken cancellationToken) =>
        (await GetDirectoryAsync(cancellationToken).ConfigureAwait(false)).Facts is { } directory
            ? await directory.FindAccountAsync(Name, cancellationToken).ConfigureAwait(false)
            : null;

    private async Task<DirectoryState> FindDirectoryAsync(CancellationToken cancellationToken)
    {
        await GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        if (_controllers.Count == 0)
        {
            return Software is KdcSoftware.Unknown or KdcSoftware.MitKrb5 or KdcSoftware.Heimdal
                ? DirectoryState.NotApplicable
                : new DirectoryState(
                    null,
                    _rootFailure ?? DirectoryException.Unreachable(Domain, "no KDC of the realm is a directory server of the domain"),
                    Applies: true);
        }
        return await GetLogOnFailureAsync(cancellationToken).ConfigureAwait(false) is null
            ? await BindAsync(_controllers, cancellationToken).ConfigureAwait(false)
            : new DirectoryState(null, null, Applies: true);
    }

    private async Task<DirectoryState> BindAsync(List<RootEntry> servers, CancellationToken cancellationToken)
    {
        var facts = new DirectoryFacts(
            CreateClient(RootEntry.Port), CreateClient(DirectoryFacts.CatalogPort), Domain, servers, _request.TimeProvider);
        try
        {
            await facts.FindAccountAsync(Name, cancellationToken).ConfigureAwait(false);
            return new DirectoryState(facts, null, true);
        }
        catch (DirectoryException error)
        {
            await facts.DisposeAsync().ConfigureAwait(false);
            return new DirectoryState(null, error, true);
        }
    }

    private DirectoryClient CreateClient(int port)
    {
        var options = new DirectoryClientOptions
        {
            Reader = Client,
            Domain = Domain,
            Timeout = Settings.Limits.Timeout,
            AnswerTimeout = _request.AnswerTimeout,
            LoggerFactory = _request.LoggerFactory,
            TimeProvider = _request.TimeProvider,
        };
        foreach (var controller in _controllers)
            options.Servers.Add(new DirectoryServer(controller.HostName!, port, controller.Address));
        return new DirectoryClient(options);
    }

    private async Task<(RootEntry? Root, DirectoryException? Failure)> ReadRootAsync(string host, CancellationToken cancellationToken)
    {
        try
        {
            return (await RootEntry.ReadAsync(host, _request.AnswerTimeout, cancellationToken).ConfigureAwait(false), null);
        }
        catch (DirectoryException error)
        {
            return (null, error);
        }
    }
}

/// <summary>The directory of a domain, or the reason why it cannot be asked.</summary>
/// <param name="Facts">The directory, or null.</param>
/// <param name="Failure">The failure, or null. Both are null if the account cannot log on.</param>
/// <param name="Applies">Whether the realm is a domain with a directory.</param>
internal sealed record DirectoryState(DirectoryFacts? Facts, DirectoryException? Failure, bool Applies)
{
    public static readonly DirectoryState NotApplicable = new(null, null, false);
}
