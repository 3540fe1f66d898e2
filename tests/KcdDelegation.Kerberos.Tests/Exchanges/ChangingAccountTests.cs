using System.Globalization;
using KcdDelegation.Kerberos.Tests.TicketCache;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Changes of accounts, passwords and clocks while a client runs with a full cache.</summary>
public sealed class ChangingAccountTests : IDisposable
{
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string PasswordFile => Path.Combine(_directory.FullName, "password");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task New_users_are_served_after_the_password_file_changed_without_a_new_log_on()
    {
        await using var realm = Start(password: "first");
        await File.WriteAllTextAsync(PasswordFile, "first", Stop);
        using var account = ServiceAccount.FromPasswordFile("gw", PasswordFile);
        await using var client = CreateClient(realm, account);
        await client.GetTicketAsync(User(realm, "ada"), Web, Stop);

        realm.RollKeys("gw", "second");
        await File.WriteAllTextAsync(PasswordFile, "second", Stop);
        realm.ClearTranscript();
        (await client.GetTicketAsync(User(realm, "ben"), Web, Stop)).User.ShouldBe(User(realm, "ben"));
        realm.Transcript.ShouldBe(["SELF ben>gw ok", "PROXY ben>HTTP/web ok"]);
    }

    [Fact]
    public async Task A_password_changed_only_at_the_KDC_is_named_as_the_cause()
    {
        await using var realm = Start(password: "first");
        await File.WriteAllTextAsync(PasswordFile, "first", Stop);
        using var account = ServiceAccount.FromPasswordFile("gw", PasswordFile);
        await using var client = CreateClient(realm, account);
        await client.LogOnAsync(Stop);

        realm.RollKeys("gw", "second");
        var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(User(realm, "ada"), Web, Stop));
        error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable, error.Message);
        error.Detail.ShouldContain("not derived from the configured password");
    }

    /// <summary>The remedy changes the account; evidence that was issued before stays as it is.</summary>
    [Fact]
    public async Task Evidence_that_is_not_forwardable_is_requested_again_after_the_refusal()
    {
        var time = new ManualClock();
        await using var realm = TestRealm.Start(timeProvider: time).User("ada").Service("HTTP/web")
            .Account("gw", mayDelegateTo: ["HTTP/web"], anyProtocol: false);
        using var account = realm.CreateServiceAccount("gw");
        await using var client = CreateClient(realm, account, time);
        for (var round = 0; round < 2; round++)
        {
            realm.ClearTranscript();
            var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(User(realm, "ada"), Web, Stop));
            error.Reason.ShouldBe(KerberosFailureReason.EvidenceNotForwardable);
            realm.Transcript.ShouldContain("SELF ada>gw ok");
            time.Advance(TimeSpan.FromSeconds(31));
        }
    }

    [Fact]
    public async Task Evidence_with_an_unsupported_encryption_type_is_refused_despite_a_signed_user()
    {
        await using var realm = TestRealm.Start().User("ada").Service("HTTP/web")
            .Account("gw", mayDelegateTo: ["HTTP/web"], encryptionTypes: [EncryptionType.Aes128CtsHmacSha1]);
        await using var client = realm.CreateClient("gw");
        await client.LogOnAsync(Stop);
        var reasons = new List<KerberosFailureReason?>();
        // Not every round finds the bit: its offset varies by a byte or two with the lengths of numbers.
        for (var index = 0; index < 4000 && !reasons.Contains(KerberosFailureReason.EncryptionTypeRefused); index++)
        {
            // One of the bits changes the ticket's type from 17 to 16; the type is outside the encryption.
            realm.Heal().Fail(KdcFault.FlipBit(index % 400), KerberosExchange.S4U2Self, times: int.MaxValue);
            try
            {
                await client.GetTicketAsync(User(realm, "ada"), Web, Stop);
                client.Purge(User(realm, "ada"));
            }
            catch (KerberosException error)
            {
                reasons.Add(error.Reason);
            }
        }
        reasons.ShouldContain(KerberosFailureReason.EncryptionTypeRefused);
    }

    [Fact]
    public async Task An_expired_presented_ticket_is_refused_without_an_exchange()
    {
        var time = new ManualClock();
        await using var realm = TestRealm.Start(timeProvider: time).User("ada").Service("HTTP/web")
            .Account("gw", mayDelegateTo: ["HTTP/web"], servicePrincipalNames: ["HTTP/gw"]);
        using var account = realm.CreateServiceAccount("gw");
        await using var client = CreateClient(realm, account, time);
        await client.LogOnAsync(Stop);
        var request = realm.IssueTicket("ada", "HTTP/gw").CreateApRequest();
        var token = new byte[request.Prefix.Length + request.TailLength];
        request.Prefix.CopyTo(token);
        request.WriteTail(token.AsSpan(request.Prefix.Length));
        var ada = await client.AcceptAsync(token, Stop);

        time.Advance(ada.EndTime - time.GetUtcNow() + TimeSpan.FromSeconds(1));
        realm.ClearTranscript();
        var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(ada, Web, Stop));
        error.Code.ShouldBe(KerberosErrorCode.TicketExpired);
        error.Detail.ShouldContain("present a new one");
        realm.Transcript.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(KerberosExchange.LogOn)]
    [InlineData(KerberosExchange.S4U2Self)]
    [InlineData(KerberosExchange.S4U2Proxy)]
    public async Task A_silent_KDC_is_named_with_its_realm_and_the_step(KerberosExchange step)
    {
        await using var realm = Start("secret");
        using var account = realm.CreateServiceAccount("gw");
        await using var client = CreateClient(realm, account, timeout: TimeSpan.FromSeconds(3));
        realm.Fail(KdcFault.Silent, step, times: int.MaxValue);
        var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(User(realm, "ada"), Web, Stop));
        error.Reason.ShouldBe(KerberosFailureReason.KdcUnreachable);
        error.Exchange.ShouldBe(step, error.Message);
        error.Realm.ShouldBe(realm.Name);
        error.Detail.ShouldContain(realm.Endpoint.Port.ToString(CultureInfo.InvariantCulture));
        error.Detail.ShouldContain("did not answer");
    }

    [Fact]
    public void An_offset_is_discarded_when_the_local_clock_is_set()
    {
        var time = new SettableClock();
        var clock = new KdcClock(time);
        clock.Adopt(TimeSpan.FromMinutes(20));
        time.Pass(TimeSpan.FromHours(3));
        clock.ForgetOffsetIfClockWasSet().ShouldBeNull();
        clock.Offset.ShouldBe(TimeSpan.FromMinutes(20));

        time.Set(TimeSpan.FromMinutes(20));
        clock.ForgetOffsetIfClockWasSet().ShouldBe(TimeSpan.FromMinutes(20));
        clock.Offset.ShouldBe(TimeSpan.Zero);
        clock.ForgetOffsetIfClockWasSet().ShouldBeNull();
    }

    private static TestRealm Start(string password) =>
        TestRealm.Start().User("ada").User("ben").Service("HTTP/web").Account("gw", mayDelegateTo: ["HTTP/web"], password: password);

    private static KerberosPrincipal User(TestRealm realm, string name) => KerberosPrincipal.Principal(name, realm.Name);

    private static S4UClient CreateClient(TestRealm realm, ServiceAccount account, TimeProvider? time = null, TimeSpan? timeout = null) =>
        new(new S4UClientOptions
    {
        Realm = realm.Name, Account = account, Kdcs = { [realm.Name] = [realm.Endpoint] }, TimeProvider = time ?? TimeProvider.System,
            Timeout = timeout ?? TimeSpan.FromSeconds(10),
    });

    /// <summary>The two clocks of a machine: one that can be set, and a monotonic one.</summary>
    private sealed class SettableClock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 11, 22, 8, 0, 0, TimeSpan.Zero);
        private TimeSpan _running;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _running.Ticks;

        public void Pass(TimeSpan by) => (_now, _running) = (_now + by, _running + by);

        public void Set(TimeSpan by) => _now += by;
    }
}
