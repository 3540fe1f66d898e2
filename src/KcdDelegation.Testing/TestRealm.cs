using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Kdc;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing;

/// <summary>A Kerberos realm with its KDC, in this process, on loopback, over TCP and UDP. It does what a domain controller does for
/// log-on, S4U2Self and S4U2Proxy (MS-SFU), says what was asked of it (<see cref="Transcript"/>), and misbehaves on demand. Thread-safe:
/// accounts may be added and changed (<see cref="TestRealmChanges"/>) while requests are answered.</summary>
/// <example>
/// <code>
/// await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
/// </code>
/// </example>
/// <remarks>Messages and cryptography are the engine's own: this realm proves flows, not encodings.</remarks>
public sealed class TestRealm : IAsyncDisposable
{
    private static readonly EncryptionType[] DefaultTypes = [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1];

    private readonly RealmState _state;
    private readonly FaultPlan _faults = new();
    private readonly Transcript _transcript = new();
    private readonly KdcListener _listener;
    private readonly RealmClients _clients;
    private int _disposed;

    private TestRealm(RealmState state)
    {
        _state = state;
        _listener = new KdcListener(new KeyDistributionCenter(state, _faults, _transcript).Answer);
        state.Endpoint = Endpoint;
        _clients = new RealmClients(state);
    }

    /// <summary>Starts the KDC on a free port of 127.0.0.1.</summary>
    /// <param name="realm">The realm's name, by custom in capitals.</param>
    /// <param name="kind">Whose habits it has.</param>
    /// <param name="timeProvider">Its clock; null: the system's.</param>
    public static TestRealm Start(string realm = "CONTOSO.TEST", KdcKind kind = KdcKind.Windows, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(realm);
        return new TestRealm(new RealmState(realm, kind, timeProvider ?? TimeProvider.System));
    }

    /// <summary>The realm's name.</summary>
    public string Name => _state.Name;

    /// <summary>The KDC, over TCP.</summary>
    public KdcEndpoint Endpoint => new("127.0.0.1", _listener.Port);

    /// <summary>The KDC, over UDP first. Replies over 1,465 bytes get KRB_ERR_RESPONSE_TOO_BIG, as from Windows.</summary>
    public KdcEndpoint UdpEndpoint => new("127.0.0.1", _listener.Port, KdcTransport.Udp);

    /// <summary>What was asked and answered so far, a line for each request: <c>AS gw ok</c>, <c>FIND ada@contoso.test ok</c> (which realm
    /// has the user), <c>SELF ada&gt;gw ok</c>, <c>PROXY ada&gt;HTTP/app KDC_ERR_BADOPTION</c>, <c>TGS gw&gt;krbtgt/EU.TEST ok</c>. A
    /// referral ends in <c>referral REALM</c>, what a fault spoilt in its name in brackets. The first AS-REQ of a log-on, which every KDC refuses for want of pre-authentication,
    /// is left out. A snapshot.</summary>
    public IReadOnlyList<string> Transcript => _transcript.Snapshot();

    /// <summary>Begins the transcript anew.</summary>
    public void ClearTranscript() => _transcript.Clear();

    /// <summary>Adds a user.</summary>
    /// <param name="name">The sAMAccountName.</param>
    /// <param name="userPrincipalName">Null: name@realm is implied.</param>
    /// <param name="sid">S-1-5-21-…; null: the next of the realm.</param>
    /// <param name="sensitive">"Account is sensitive and cannot be delegated".</param>
    /// <param name="protectedUser">Member of Protected Users: cannot be delegated either.</param>
    /// <param name="disabled">The account is disabled.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public TestRealm User(string name, string? userPrincipalName = null, string? sid = null, bool sensitive = false, bool protectedUser = false, bool disabled = false)
    {
        Add(name, CreateKeys(Salt(name), password: null, DefaultTypes, keyVersion: 2), sid, entry => new DirectoryEntry(name, entry.Keys, entry.Sid)
        {
            UserPrincipalName = userPrincipalName, ServicePrincipalNames = [], Sensitive = sensitive, ProtectedUser = protectedUser, Disabled = disabled,
        });
        return this;
    }

    /// <summary>Adds an account that delegates: a gateway's.</summary>
    /// <param name="name">The sAMAccountName; that of a computer ends in a dollar sign.</param>
    /// <param name="mayDelegateTo">Its delegation list (msDS-AllowedToDelegateTo): service principal names.</param>
    /// <param name="anyProtocol">"Use any authentication protocol": its S4U2Self tickets are forwardable.</param>
    /// <param name="servicePrincipalNames">Its own; null: HTTP/name.</param>
    /// <param name="password">Null: a random one.</param>
    /// <param name="encryptionTypes">Of its keys, best first; null: AES256 and AES128 with SHA-1.</param>
    /// <param name="keyVersion">Of its first keys.</param>
    /// <param name="disabled">The account is disabled.</param>
    /// <param name="salt">Of its password; null: made from its name (MS-KILE §3.1.1.2). A renamed account keeps the old one.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public TestRealm Account(string name, IEnumerable<string>? mayDelegateTo = null, bool anyProtocol = true, IEnumerable<string>? servicePrincipalNames = null,
        string? password = null, IEnumerable<EncryptionType>? encryptionTypes = null, int keyVersion = 2, bool disabled = false, string? salt = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        Add(name, CreateKeys(salt ?? Salt(name), password ?? RandomPassword(), encryptionTypes, keyVersion), sid: null, entry => new DirectoryEntry(name, entry.Keys, entry.Sid)
        {
            ServicePrincipalNames = [.. servicePrincipalNames ?? [$"HTTP/{name.TrimEnd('$')}"]], AnyProtocol = anyProtocol, Disabled = disabled,
        });
        foreach (var target in mayDelegateTo ?? [])
            this.AllowDelegation(name, target);
        return this;
    }

    /// <summary>Adds a service that users are delegated to, with an account of its own.</summary>
    /// <param name="servicePrincipalName">Such as HTTP/app.</param>
    /// <param name="delegatedFrom">Its resource-based list (msDS-AllowedToActOnBehalfOfOtherIdentity): names of accounts, those of other
    /// realms as name@REALM.</param>
    /// <param name="account">Name of its account; null: made from the service principal name.</param>
    /// <param name="encryptionTypes">Of its keys, best first; null: AES256 and AES128 with SHA-1.</param>
    /// <param name="keyVersion">Of its first keys.</param>
    /// <exception cref="ArgumentException">The account's name is taken.</exception>
    public TestRealm Service(string servicePrincipalName, IEnumerable<string>? delegatedFrom = null, string? account = null,
        IEnumerable<EncryptionType>? encryptionTypes = null, int keyVersion = 2)
    {
        ArgumentNullException.ThrowIfNull(servicePrincipalName);
        var name = account ?? "svc-" + servicePrincipalName.Replace('/', '-');
        Add(name, CreateKeys(Salt(name), password: null, encryptionTypes, keyVersion), sid: null, entry => new DirectoryEntry(name, entry.Keys, entry.Sid)
        {
            ServicePrincipalNames = [servicePrincipalName],
        });
        foreach (var allowed in delegatedFrom ?? [])
            this.AllowResourceBasedDelegation(allowed, servicePrincipalName);
        return this;
    }

    /// <summary>Makes this realm and another one trust each other (transitively: further trusts of either count for both). Users are found
    /// and services referred to across the trust; its KDCs do S4U2Self and resource-based S4U2Proxy as MS-SFU §4.2 and §4.3 show.
    /// Clients that were made before do not know the other KDC.</summary>
    /// <exception cref="ArgumentException">The other realm is this one or has the same name.</exception>
    public TestRealm Trusts(TestRealm other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (_state.IsNamed(other.Name))
            throw new ArgumentException($"{Name} cannot trust a realm of its own name.", nameof(other));
        var outgoing = new KeyHistory(password: null, salt: "", RealmState.AllTypes, version: 1);
        var incoming = new KeyHistory(password: null, salt: "", RealmState.AllTypes, version: 1);
        _state.Trusts[other.Name] = new Trust(other._state, outgoing, incoming);
        other._state.Trusts[Name] = new Trust(_state, incoming, outgoing);
        return this;
    }

    /// <summary>Makes every PAC at least so long, as many groups and claims do. A ticket is about 350 bytes longer than its PAC.</summary>
    /// <param name="bytes">0 to 60,000.</param>
    public TestRealm PacSize(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, 60_000);
        _state.PacSize = bytes;
        return this;
    }

    /// <summary>Sets the KDC's clock ahead (or, with a negative span, back).</summary>
    public TestRealm ClockAhead(TimeSpan offset)
    {
        _state.ClockOffset = offset;
        return this;
    }

    /// <summary>Misbehaves at the next requests. Faults that wait for the same exchange happen one after the other, in the order of the calls.</summary>
    /// <param name="fault">What happens. One that makes a reply rogue waits for a request that succeeds.</param>
    /// <param name="exchange">At which step (<see cref="KerberosExchange.LogOn"/>, <see cref="KerberosExchange.RealmDiscovery"/>,
    /// <see cref="KerberosExchange.Referral"/>, <see cref="KerberosExchange.S4U2Self"/>, <see cref="KerberosExchange.S4U2Proxy"/>); null: any.</param>
    /// <param name="times">How often; <see cref="int.MaxValue"/>: until <see cref="Heal"/>.</param>
    public TestRealm Fail(KdcFault fault, KerberosExchange? exchange = null, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        _faults.Arm(fault, exchange, times);
        return this;
    }

    /// <summary>Behaves again: forgets all faults that still wait.</summary>
    public TestRealm Heal()
    {
        _faults.DisarmAll();
        return this;
    }

    /// <summary>Writes the newest AES keys of an account or service to an MIT keytab (version 0502), mode 0600: for an account under its
    /// name, for a service under its service principal names too.</summary>
    /// <param name="account">Account or service principal name.</param>
    /// <param name="path">Made or replaced in one step.</param>
    /// <param name="cancellationToken">Stops the writing.</param>
    /// <exception cref="ArgumentException">No such account.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public Task WriteKeytabAsync(string account, string path, CancellationToken cancellationToken = default)
    {
        var entry = _state.Accounts.Get(account);
        var version = entry.Keys.Current;
        var names = entry.ServicePrincipalNames.Prepend(entry.Name);
        var entries =
            from name in names
            from type in entry.Keys.Types
            where EncryptionProfile.TryGet(type, out _)
            select new KeytabEntry(name.Split('/'), Name, (int)PrincipalNameType.Principal, _state.Now, version.Number, (int)type, version.GetKey(type));
        return KeytabWriter.WriteAsync(path, [.. entries], cancellationToken);
    }

    /// <summary>A client that delegates with an account, by its password and over TCP. It knows the KDCs of all realms that are trusted now.</summary>
    /// <param name="account">Added with <see cref="Account"/>.</param>
    /// <returns>To be disposed before the realm.</returns>
    /// <exception cref="ArgumentException">No such account, or it has no password.</exception>
    public S4UClient CreateClient(string account) => new(_clients.CreateOptions(account));

    /// <summary>The account for options that a test writes itself, with the account's present password. Disposed with the realm.</summary>
    /// <exception cref="ArgumentException">No such account, or it has no password.</exception>
    public ServiceAccount CreateServiceAccount(string account) => _clients.CreateServiceAccount(account);

    /// <summary>The user's ticket for a service by S4U2Self and S4U2Proxy, from a client that all calls with this account share: its
    /// cache answers the second call.</summary>
    /// <param name="account">Who delegates.</param>
    /// <param name="user">Whom it acts as: with an at sign an enterprise name, else a principal of this realm.</param>
    /// <param name="service">The target's service principal name.</param>
    /// <param name="cancellationToken">Of this wait.</param>
    /// <exception cref="ArgumentException">No such account, or it has no password.</exception>
    /// <exception cref="KerberosException">The KDC refused, or a fault was asked for.</exception>
    public ValueTask<ServiceTicket> GetTicketAsync(string account, string user, string service, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        var principal = user.Contains('@', StringComparison.Ordinal) ? KerberosPrincipal.Enterprise(user) : KerberosPrincipal.Principal(user, Name);
        return _clients.Shared(account).GetTicketAsync(principal, ServicePrincipalName.Parse(service), cancellationToken);
    }

    /// <summary>The ticket that a user has who logged on herself: what a browser presents to a gateway, and the evidence of a delegation
    /// without protocol transition. Not in the transcript.</summary>
    /// <param name="user">A user of this realm, or name@REALM of one that is trusted.</param>
    /// <param name="service">A service principal name of this realm.</param>
    /// <param name="flags">Without <see cref="TicketFlags.Forwardable"/> it is no evidence.</param>
    /// <exception cref="ArgumentException">No such user or service.</exception>
    public ServiceTicket IssueTicket(string user, string service, TicketFlags flags = TicketFlags.Forwardable | TicketFlags.PreAuthenticated) =>
        UserLogOn.Issue(_state, _state.TimeProvider, user, ServicePrincipalName.Parse(service), flags);

    internal RealmState State => _state;

    /// <summary>Stops the KDC, and disposes the client behind <see cref="GetTicketAsync"/> first. Once is enough; more is no error.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _clients.DisposeAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
    }

    private void Add(string name, KeyHistory keys, string? sid, Func<(KeyHistory Keys, SecurityIdentifier Sid), DirectoryEntry> create) =>
        _state.Accounts.Add(create((keys, sid is null ? _state.Accounts.NextSid() : SecurityIdentifier.Parse(sid))));

    private static KeyHistory CreateKeys(string salt, string? password, IEnumerable<EncryptionType>? types, int keyVersion) =>
        new(password, salt, [.. types ?? DefaultTypes], checked((uint)keyVersion));

    /// <summary>MS-KILE §3.1.1.2: a computer's salt is made from its host name.</summary>
    private string Salt(string name) =>
        name.EndsWith('$') ? $"{Name}host{name[..^1].ToLowerInvariant()}.{Name.ToLowerInvariant()}" : Name + name;

    internal static string RandomPassword() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(24));
}
