using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Clients;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Kdc;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing;

/// <summary>A Kerberos realm with its KDC, in this process, on loopback, over TCP and UDP. It supports log-on, S4U2Self and S4U2Proxy
/// (MS-SFU). It records its requests (<see cref="Transcript"/>) and fails on demand (<see cref="Fail"/>).</summary>
/// <example>
/// <code>
/// await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
/// await using var issuer = await TestIssuer.StartAsync();
/// await using var backend = await TestBackend.StartAsync(realm, "HTTP/app");
/// var options = realm.CreateOptions("gw", issuer);
/// options.Applications["app"] = backend.CreateApplication();
/// </code>
/// </example>
/// <remarks>Thread-safe: accounts may be added and changed (<see cref="TestRealmChanges"/>) while requests are answered. Messages and
/// cryptography are those of the engine, so this realm tests message flows and decisions, not encodings.</remarks>
public sealed partial class TestRealm : IAsyncDisposable
{
    private readonly RealmState _state;
    private readonly FaultPlan _faults = new();
    private readonly Transcript _transcript = new();
    private readonly KdcListener _listener;
    private readonly KdcListener _passwordListener;
    private readonly RealmClients _clients;
    private int _disposed;

    private TestRealm(RealmState state)
    {
        _state = state;
        _listener = new KdcListener(new KeyDistributionCenter(state, _faults, _transcript).Answer);
        PasswordService = new PasswordService(state);
        _passwordListener = new KdcListener(PasswordService.Answer);
        state.Endpoint = Endpoint;
        _clients = new RealmClients(state);
    }

    /// <summary>Starts the KDC on a free port of 127.0.0.1.</summary>
    /// <param name="realm">The realm's name, by convention in capitals.</param>
    /// <param name="kind">The KDC whose behavior is followed where KDCs differ.</param>
    /// <param name="timeProvider">The realm's clock; null: the system's.</param>
    public static TestRealm Start(string realm = "CONTOSO.TEST", KdcKind kind = KdcKind.Windows, TimeProvider? timeProvider = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(realm);
        return new TestRealm(new RealmState(realm, kind, timeProvider ?? TimeProvider.System));
    }

    /// <summary>Gets the realm's name.</summary>
    public string Name => _state.Name;

    /// <summary>Gets the KDC's address for TCP.</summary>
    public KdcEndpoint Endpoint => new("127.0.0.1", _listener.Port);

    /// <summary>Gets the KDC's address for UDP. As with Windows, replies over 1,465 bytes are replaced by
    /// KRB_ERR_RESPONSE_TOO_BIG.</summary>
    public KdcEndpoint UdpEndpoint => new("127.0.0.1", _listener.Port, KdcTransport.Udp);

    /// <summary>Gets the address of the realm's password server (RFC 3244), over TCP. It answers over UDP too. A change of a password is
    /// the account's next key version.</summary>
    public KdcEndpoint PasswordEndpoint => new("127.0.0.1", _passwordListener.Port);

    /// <summary>Gets a snapshot of the requests and answers so far, one line for each request.</summary>
    /// <remarks>Examples: <c>AS gw ok</c>, <c>FIND ada@contoso.test ok</c> (the search for a user's realm), <c>SELF ada&gt;gw ok</c>,
    /// <c>PROXY ada&gt;HTTP/app KDC_ERR_BADOPTION</c>, <c>TGS gw&gt;krbtgt/EU.TEST ok</c>. A referral ends in <c>referral REALM</c>. A
    /// fault is named in brackets. The first AS-REQ of a log-on, which every KDC refuses because it has no pre-authentication, is
    /// left out.</remarks>
    public IReadOnlyList<string> Transcript => _transcript.Snapshot();

    /// <summary>Removes all lines of the transcript.</summary>
    public void ClearTranscript() => _transcript.Clear();

    /// <summary>Makes every PAC at least this long, as groups and claims do. A ticket is about 350 bytes longer than its PAC.</summary>
    /// <param name="bytes">0 to 60,000.</param>
    public TestRealm PacSize(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, 60_000);
        _state.PacSize = bytes;
        return this;
    }

    /// <summary>Limits the lifetime of the tickets issued from now on. The default is ten hours.</summary>
    /// <param name="life">At least one second. A TGT, an evidence ticket and the tickets based on them end together.</param>
    public TestRealm TicketLife(TimeSpan life)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(life, TimeSpan.FromSeconds(1));
        _state.TicketLife = life;
        return this;
    }

    /// <summary>Sets the KDC's clock ahead or, with a negative span, back.</summary>
    public TestRealm ClockAhead(TimeSpan offset)
    {
        _state.ClockOffset = offset;
        return this;
    }

    /// <summary>Adds a fault to the next requests. Faults of the same exchange happen one after the other, in the order of the
    /// calls.</summary>
    /// <param name="fault">What happens. A fault that changes a reply waits for a request that succeeds.</param>
    /// <param name="exchange">The step at which it happens (<see cref="KerberosExchange.LogOn"/>,
    /// <see cref="KerberosExchange.RealmDiscovery"/>, <see cref="KerberosExchange.Referral"/>, <see cref="KerberosExchange.S4U2Self"/>,
    /// <see cref="KerberosExchange.S4U2Proxy"/>); null: any.</param>
    /// <param name="times">How often it happens; <see cref="int.MaxValue"/>: until <see cref="Heal"/>.</param>
    public TestRealm Fail(KdcFault fault, KerberosExchange? exchange = null, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        _faults.Add(fault, exchange, times);
        return this;
    }

    /// <summary>Removes all faults that have not happened yet.</summary>
    public TestRealm Heal()
    {
        _faults.Clear();
        return this;
    }

    /// <summary>Disposes the clients and keytabs that the realm created, then stops the KDC. Further calls have no effect.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _clients.DisposeAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _passwordListener.DisposeAsync().ConfigureAwait(false);
    }

    internal RealmState State => _state;

    internal PasswordService PasswordService { get; }
}
