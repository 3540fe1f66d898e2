using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.AccountKeys;

/// <summary>A group managed service account whose password changes at the directory and at the KDC, not always at the same time.</summary>
public sealed class ManagedAccountTests
{
    private static readonly ServicePrincipalName Web = ServicePrincipalName.Parse("HTTP/web");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_password_is_read_once_and_delegates_users()
    {
        await using var setup = new Setup();
        await setup.DelegateAsync("ada");
        await setup.DelegateAsync("ben");
        setup.Directory.Reads.ShouldBe(1);
        setup.Log.Events.ShouldContain(each => each.Id == 2011);
    }

    [Fact]
    public async Task A_change_at_the_KDC_is_followed_by_the_next_user_without_a_refusal()
    {
        await using var setup = new Setup();
        await setup.DelegateAsync("ada");
        setup.Time.Advance(TimeSpan.FromSeconds(2));
        setup.Roll();
        // The ticket of the account is still valid. The evidence is under the new key.
        await setup.DelegateAsync("ben");
        setup.Directory.Reads.ShouldBe(2);
    }

    [Fact]
    public async Task A_change_in_the_middle_of_a_log_on_is_followed()
    {
        await using var setup = new Setup();
        await setup.DelegateAsync("ada");
        setup.Time.Advance(TimeSpan.FromSeconds(2));
        setup.Client.PurgeAll();
        setup.Roll();
        await setup.DelegateAsync("ben");
        setup.Realm.Transcript.ShouldContain(line => line.Contains("PREAUTH_FAILED", StringComparison.Ordinal));
        setup.Directory.Reads.ShouldBe(2);
    }

    [Fact]
    public async Task The_password_is_read_ahead_of_the_change()
    {
        await using var setup = new Setup(directory =>
        {
            directory.QueryInterval = TimeSpan.FromHours(10);
            directory.UnchangedInterval = TimeSpan.FromHours(10) - TimeSpan.FromMinutes(5);
        });
        await setup.DelegateAsync("ada");
        setup.Client.PurgeAll();
        setup.Time.Advance(TimeSpan.FromHours(9));
        await setup.DelegateAsync("ada");
        setup.Directory.Reads.ShouldBe(1);

        setup.Client.PurgeAll();
        setup.Time.Advance(TimeSpan.FromMinutes(56));
        // The controller already shows the next password, and the KDC still uses the one before it.
        setup.Directory.Change(ManagedPasswordBlob.CreatePassword());
        await setup.DelegateAsync("ada");
        setup.Directory.Reads.ShouldBe(2);
        setup.Log.Events.ShouldContain(each => each.Id == 2013);

        setup.Client.PurgeAll();
        setup.RollKdc();
        setup.Time.Advance(TimeSpan.FromMinutes(6));
        await setup.DelegateAsync("ada");
    }

    [Fact]
    public async Task The_previous_password_is_used_while_the_KDC_has_no_other()
    {
        await using var setup = new Setup(directory => directory.Change(ManagedPasswordBlob.CreatePassword()));
        await setup.DelegateAsync("ada");
        setup.Realm.Transcript.Count(line => line.Contains("PREAUTH_FAILED", StringComparison.Ordinal)).ShouldBe(1);
        // The next log-on proves the same password at once: no attempt is wasted.
        setup.Client.PurgeAll();
        setup.Realm.ClearTranscript();
        await setup.DelegateAsync("ada");
        setup.Realm.Transcript.ShouldNotContain(line => line.Contains("PREAUTH_FAILED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task After_the_previous_password_the_current_one_is_used_again()
    {
        await using var setup = new Setup(directory => directory.Change(ManagedPasswordBlob.CreatePassword()));
        await setup.DelegateAsync("ada");
        setup.RollKdc();
        setup.Client.PurgeAll();
        setup.Time.Advance(TimeSpan.FromMinutes(6));
        await setup.DelegateAsync("ada");
    }

    [Fact]
    public async Task Two_rejected_passwords_are_not_tried_again_at_once()
    {
        await using var setup = new Setup();
        setup.Directory.Change(ManagedPasswordBlob.CreatePassword());
        setup.Directory.Change(ManagedPasswordBlob.CreatePassword());
        for (var round = 0; round < 5; round++)
        {
            var error = await Should.ThrowAsync<KerberosException>(async () => await setup.DelegateAsync("ada"));
            error.Code.ShouldBe(KerberosErrorCode.PreAuthenticationFailed);
            error.KeySource.ShouldBe(AccountKeySource.ManagedPassword);
            setup.Time.Advance(TimeSpan.FromSeconds(40));
        }
        setup.Realm.Transcript.Count(line => line.Contains("PREAUTH_FAILED", StringComparison.Ordinal)).ShouldBe(2);

        // The directory has caught up: the new password is used without a wait.
        setup.Directory.Change(setup.KdcPassword);
        setup.Time.Advance(TimeSpan.FromSeconds(2));
        await setup.DelegateAsync("ada");
    }

    [Fact]
    public async Task While_the_directory_is_away_the_last_password_stays_in_use()
    {
        await using var setup = new Setup(directory => directory.QueryInterval = directory.UnchangedInterval = TimeSpan.FromMinutes(10));
        await setup.DelegateAsync("ada");
        setup.Directory.Failure = new ManagedPasswordException(ManagedPasswordFailure.Unavailable, "no server of test.example answered");
        for (var round = 0; round < 5; round++)
        {
            setup.Time.Advance(TimeSpan.FromMinutes(11));
            setup.Client.PurgeAll();
            await setup.DelegateAsync("ada");
        }
        setup.Directory.Reads.ShouldBe(6);
        setup.Log.Events.Count(each => each.Id == 2012 && each.Text.Contains("no server", StringComparison.Ordinal)).ShouldBe(5);
        setup.Directory.Failure = null;
        setup.Time.Advance(TimeSpan.FromSeconds(31));
        setup.Client.PurgeAll();
        setup.Roll();
        await setup.DelegateAsync("ben");
    }

    [Theory]
    [InlineData(ManagedPasswordFailure.Unavailable, true)]
    [InlineData(ManagedPasswordFailure.NotPermitted, false)]
    public async Task Without_a_password_there_is_no_log_on(ManagedPasswordFailure failure, bool isTransient)
    {
        await using var setup = new Setup();
        setup.Directory.Failure = new ManagedPasswordException(failure, "the reason of the directory");
        var error = await Should.ThrowAsync<KerberosException>(async () => await setup.DelegateAsync("ada"));
        error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable);
        error.Detail.ShouldContain("the reason of the directory");
        error.IsTransient.ShouldBe(isTransient);
        error.InnerException.ShouldBeOfType<ManagedPasswordException>().Failure.ShouldBe(failure);
        setup.Realm.Transcript.ShouldBeEmpty();

        setup.Directory.Failure = null;
        setup.Time.Advance(TimeSpan.FromSeconds(2));
        await setup.DelegateAsync("ada");
    }

    [Fact]
    public async Task No_event_contains_a_password_or_key()
    {
        await using var setup = new Setup();
        await setup.DelegateAsync("ada");
        setup.Roll();
        setup.Time.Advance(TimeSpan.FromSeconds(2));
        await setup.DelegateAsync("ben");
        foreach (var (_, _, text) in setup.Log.Events)
        {
            text.ShouldNotContain(setup.Directory.Current);
            text.ShouldNotContain(setup.Directory.Previous!);
        }
    }

    /// <summary>10,000 requests of 50 users while the password changes three times, at the directory and at the KDC at once or one before
    /// the other.</summary>
    [Fact]
    public async Task No_request_fails_while_the_password_changes_under_load()
    {
        const int Users = 50, Requests = 200;
        await using var setup = new Setup(time: TimeProvider.System, users: Users);
        using var done = new CancellationTokenSource();
        var changes = Task.Run(async () =>
        {
            for (var change = 0; change < 3; change++)
            {
                await Task.Delay(TimeSpan.FromSeconds(1.5), Stop);
                if (change == 1)
                {
                    // The directory shows the password before the KDC uses it.
                    setup.Directory.Change(ManagedPasswordBlob.CreatePassword());
                    await Task.Delay(TimeSpan.FromMilliseconds(300), Stop);
                    setup.RollKdc();
                }
                else
                    setup.Roll();
            }
            await Task.Delay(TimeSpan.FromSeconds(1.5), Stop);
            done.Cancel();
        }, Stop);
        var served = 0;
        var failures = new System.Collections.Concurrent.ConcurrentBag<Exception>();
        await Task.WhenAll(Enumerable.Range(0, Users).Select(user => Task.Run(async () =>
        {
            for (var request = 0; request < Requests || !done.IsCancellationRequested; request++)
            {
                try
                {
                    await setup.DelegateAsync($"user{user}");
                    Interlocked.Increment(ref served);
                }
                catch (KerberosException error)
                {
                    failures.Add(error);
                }
                // Each user's tickets are requested again now and then, and the account logs on again.
                if (request % 20 == user % 20)
                    setup.Client.Purge(setup.User($"user{user}"));
                if (user == 0 && request % 50 == 49)
                    setup.Client.PurgeAll();
                await Task.Delay(5, Stop);
            }
        }, Stop)));
        await changes;
        failures.ShouldBeEmpty();
        served.ShouldBeGreaterThanOrEqualTo(Users * Requests);
        setup.Directory.Reads.ShouldBeGreaterThan(3);
    }

    private sealed class Setup : IAsyncDisposable
    {
        private readonly ServiceAccount _account;

        public Setup(Action<ManagedPasswordDirectory>? configure = null, TimeProvider? time = null, int users = 0)
        {
            Time = new SteppedClock();
            var clock = time ?? Time;
            KdcPassword = ManagedPasswordBlob.CreatePassword();
            Directory = new ManagedPasswordDirectory(KdcPassword);
            configure?.Invoke(Directory);
            Realm = TestRealm.Start(timeProvider: clock).User("ada").User("ben").Service("HTTP/web")
                .Account("gmsa$", mayDelegateTo: ["HTTP/web"], password: ManagedPasswordBlob.ToKeyText(KdcPassword));
            for (var user = 0; user < users; user++)
                Realm.User($"user{user}");
            _account = ServiceAccount.FromManagedPassword("gmsa$", Directory, clock);
            var options = new S4UClientOptions
            {
                Realm = Realm.Name,
                Account = _account,
                TimeProvider = clock,
                LoggerFactory = new CapturingLoggerFactory(Log),
            };
            options.Kdcs[Realm.Name] = [Realm.Endpoint];
            Client = new S4UClient(options);
        }

        public TestRealm Realm { get; }

        public SteppedClock Time { get; }

        public ManagedPasswordDirectory Directory { get; }

        public CapturingLogger Log { get; } = new();

        public S4UClient Client { get; }

        public string KdcPassword { get; private set; }

        public KerberosPrincipal User(string name) => KerberosPrincipal.Principal(name, Realm.Name);

        public async Task DelegateAsync(string user)
        {
            var ticket = await Client.GetTicketAsync(User(user), Web, Stop);
            ticket.User.Name.ShouldBe(user);
        }

        public void Roll()
        {
            Directory.Change(ManagedPasswordBlob.CreatePassword());
            RollKdc();
        }

        public void RollKdc()
        {
            KdcPassword = Directory.Current;
            Realm.RollKeys("gmsa$", ManagedPasswordBlob.ToKeyText(KdcPassword));
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            _account.Dispose();
            await Realm.DisposeAsync();
        }
    }

    /// <summary>A clock whose time of day and elapsed time the test advances. Timers are real.</summary>
    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() =>
            new DateTimeOffset(2026, 11, 22, 8, 0, 0, TimeSpan.Zero).AddTicks(Volatile.Read(ref _ticks));

        public override long GetTimestamp() => TimeSpan.TicksPerDay + Volatile.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
