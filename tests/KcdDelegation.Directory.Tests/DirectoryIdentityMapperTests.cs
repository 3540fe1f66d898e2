using System.Globalization;
using System.Security.Claims;
using KcdDelegation.DirectoryServices.Tests.Servers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Tests;

/// <summary>The decisions of the mapper, with accounts that a server of the test returns. Samba shows in the interop tests that the
/// attributes mean what is assumed here.</summary>
public sealed class DirectoryIdentityMapperTests
{
    private const string Ada = "S-1-5-21-1-2-3-1103";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_result_has_the_account_s_own_name_realm_and_SID()
    {
        await using var setup = new Setup(new Account("Ada", Ada) { Domain = "DC=eu,DC=test,DC=example" });
        var user = await setup.MapAsync(("onprem_sid", Ada), ("upn", "someone.else@test.example"));
        user.Name.ShouldBe("Ada");
        user.Realm.ShouldBe("EU.TEST.EXAMPLE");
        user.SecurityIdentifier.ShouldBe(Ada);
    }

    [Fact]
    public async Task A_name_that_means_two_accounts_is_refused()
    {
        await using var setup = new Setup(new Account("ada", Ada), new Account("other", "S-1-5-21-1-2-3-1104"));
        var error = await RefusesAsync(setup, 1054);
        error.Message.ShouldContain("\"ada\" and \"other\"");
    }

    [Fact]
    public async Task A_caller_without_an_account_is_refused()
    {
        await using var setup = new Setup();
        await RefusesAsync(setup, 1053);
    }

    [Theory]
    [InlineData(0x202, 0, "9223372036854775807", false, "disabled")]
    [InlineData(0x100200, 0, "0", false, "sensitive")]
    [InlineData(0x200, 0x10, "0", false, "locked")]
    [InlineData(0x200, 0, "132223104000000000", false, "expired")]
    [InlineData(0x200, 0, "0", true, "Protected Users")]
    [InlineData(0x202, 0x10, "132223104000000000", true, "it is disabled and it has expired and it is locked")]
    public async Task An_account_that_may_not_be_delegated_is_refused(
        int control, int computed, string expires, bool isProtected, string reason)
    {
        await using var setup = new Setup(
            new Account("ada", Ada) { Control = control, Computed = computed, Expires = expires, IsProtected = isProtected });
        (await RefusesAsync(setup, 1055)).Message.ShouldContain(reason);
    }

    [Fact]
    public async Task A_usable_account_that_expires_later_is_mapped()
    {
        var tomorrow = TimeProvider.System.GetUtcNow().AddDays(1).ToFileTime().ToString(CultureInfo.InvariantCulture);
        await using var setup = new Setup(new Account("ada", Ada) { Expires = tomorrow });
        (await setup.MapAsync()).Name.ShouldBe("ada");
    }

    [Theory]
    [InlineData("S-1-5-x")]
    [InlineData("ada")]
    [InlineData("S-1-5-21-1-2-3-1103)(objectClass=*")]
    public async Task A_claim_that_is_no_SID_is_refused_without_a_search(string sid)
    {
        await using var setup = new Setup(new Account("ada", Ada));
        var error = await Should.ThrowAsync<KcdException>(() => setup.MapAsync(("onprem_sid", sid)));
        error.EventId.ShouldBe(1042);
        setup.Searches.ShouldBe(0);
    }

    [Fact]
    public async Task Accounts_are_cached_for_their_time_and_searched_once_by_many_callers()
    {
        await using var setup = new Setup(new Account("ada", Ada));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => setup.MapAsync()));
        setup.Searches.ShouldBe(1);
        setup.Time.Advance(TimeSpan.FromMinutes(4));
        await setup.MapAsync();
        setup.Searches.ShouldBe(1);
        setup.Time.Advance(TimeSpan.FromMinutes(2));
        await setup.MapAsync();
        setup.Searches.ShouldBe(2);
    }

    [Fact]
    public async Task An_account_that_was_disabled_is_refused_after_the_cache_time_and_stays_so_during_an_outage()
    {
        await using var setup = new Setup(options => options.WhenUnavailable = DirectoryOutage.UseCache, new Account("ada", Ada));
        await setup.MapAsync();
        setup.Answers = [new Account("ada", Ada) { Control = 0x202 }];
        setup.Time.Advance(TimeSpan.FromMinutes(6));
        await RefusesAsync(setup, 1055);
        setup.IsAway = true;
        await RefusesAsync(setup, 1056);
    }

    [Fact]
    public async Task While_the_directory_is_away_callers_are_refused_by_default()
    {
        await using var setup = new Setup(new Account("ada", Ada));
        await setup.MapAsync();
        setup.IsAway = true;
        await setup.MapAsync();
        setup.Time.Advance(TimeSpan.FromMinutes(6));
        var error = await RefusesAsync(setup, 1056);
        error.Kind.ShouldBe(KcdErrorKind.Unavailable);
        error.Message.ShouldContain("UseCache");
    }

    [Fact]
    public async Task The_cache_answers_during_an_outage_if_it_is_allowed_to_and_not_for_ever()
    {
        await using var setup = new Setup(options => options.WhenUnavailable = DirectoryOutage.UseCache, new Account("ada", Ada));
        await setup.MapAsync();
        setup.IsAway = true;
        setup.Time.Advance(TimeSpan.FromMinutes(59));
        (await setup.MapAsync()).Name.ShouldBe("ada");
        (await Should.ThrowAsync<KcdException>(() => setup.MapAsync(("upn", "new@test.example")))).EventId.ShouldBe(1056);
        setup.Time.Advance(TimeSpan.FromMinutes(2));
        await RefusesAsync(setup, 1056);
    }

    [Fact]
    public async Task The_cache_is_bounded()
    {
        await using var setup = new Setup(options => options.MaxCacheEntries = 10, new Account("ada", Ada));
        for (var user = 0; user < 30; user++)
            await setup.MapAsync(("upn", $"user{user}@test.example"));
        setup.Searches.ShouldBe(30);
        await setup.MapAsync(("upn", "user29@test.example"));
        setup.Searches.ShouldBe(30);
        await setup.MapAsync(("upn", "user0@test.example"));
        setup.Searches.ShouldBe(31);
    }

    [Theory]
    [InlineData("CN=a,DC=test,DC=example", "TEST.EXAMPLE")]
    [InlineData("CN=a\\,DC=evil,OU=x,DC=test,DC=example", "TEST.EXAMPLE")]
    [InlineData("CN=a\\,DC=evil", null)]
    [InlineData("CN=a", null)]
    [InlineData("dc=Eu, dc=test", "EU.TEST")]
    public void The_realm_is_in_the_trailing_components(string name, string? realm) =>
        DirectoryServices.Messages.DomainName.FindRealm(name).ShouldBe(realm);

    [Theory]
    [InlineData("S-1-5-32-544")]
    [InlineData("S-1-5-21-3628656788-3234639358-36470134-1103")]
    [InlineData("S-1-281474976710655-4294967295")]
    public void A_SID_has_two_forms(string text) =>
        Accounts.SecurityIdentifiers.Format(Accounts.SecurityIdentifiers.Parse(text)).ShouldBe(text);

    [Fact]
    public void Bytes_that_are_no_SID_are_not_read()
    {
        var sid = Accounts.SecurityIdentifiers.Parse(Ada);
        for (var length = 0; length < sid.Length; length++)
            Accounts.SecurityIdentifiers.Format(sid.AsSpan(0, length)).ShouldBeNull();
        Accounts.SecurityIdentifiers.Format([.. sid, 0]).ShouldBeNull();
        sid[0] = 2;
        Accounts.SecurityIdentifiers.Format(sid).ShouldBeNull();
    }

    private static async Task<KcdException> RefusesAsync(Setup setup, int eventId)
    {
        var error = await Should.ThrowAsync<KcdException>(() => setup.MapAsync());
        error.EventId.ShouldBe(eventId, error.Message);
        return error;
    }

    private sealed record Account(string Name, string Sid)
    {
        public string Domain { get; init; } = "DC=test,DC=example";

        public int Control { get; init; } = 0x200;

        public int Computed { get; init; }

        public string Expires { get; init; } = "0";

        public bool IsProtected { get; init; }

        public string Entry => $"CN={Name},{Domain}";
    }

    private sealed class Setup : IAsyncDisposable
    {
        private readonly TestDirectory _directory = new();
        private readonly DirectoryIdentityMapper _mapper;
        private int _searches;

        public Setup(params Account[] accounts)
            : this(_ => { }, accounts)
        {
        }

        public Setup(Action<DirectoryIdentityOptions> configure, params Account[] accounts)
        {
            Answers = accounts;
            var options = new DirectoryIdentityOptions();
            configure(options);
            _directory.Server.Answer = Answer;
            _mapper = new DirectoryIdentityMapper(_directory.CreateAccounts(), options, timeProvider: Time);
        }

        public SteppedClock Time { get; } = new();

        public Account[] Answers { get; set; }

        public bool IsAway { get; set; }

        public int Searches => Volatile.Read(ref _searches);

        public async Task<KerberosPrincipal> MapAsync(params (string Type, string Value)[] claims)
        {
            var identity = new ClaimsIdentity(
                (claims.Length > 0 ? claims : [("upn", "ada@test.example")]).Select(claim => new Claim(claim.Type, claim.Value)), "test");
            var context = new MappingContext
            {
                ApplicationName = "app", Realm = "TEST.EXAMPLE", LoginIdentity = LoginIdentity.UserPrincipalName,
            };
            return await _mapper.MapAsync(new ClaimsPrincipal(identity), context, Stop);
        }

        public ValueTask DisposeAsync() => _directory.DisposeAsync();

        private IEnumerable<byte[]> Answer(LyingServer.Request request)
        {
            if (IsAway)
                return [[]];
            if (request.Attributes is ["tokenGroups"])
            {
                var account = Answers.Single(each => each.Entry == request.Base);
                byte[][] groups = account.IsProtected
                    ? [Accounts.SecurityIdentifiers.Parse("S-1-5-21-1-2-3-513"), Accounts.SecurityIdentifiers.Parse("S-1-5-21-1-2-3-525")]
                    : [Accounts.SecurityIdentifiers.Parse("S-1-5-21-1-2-3-513"), Accounts.SecurityIdentifiers.Parse("S-1-5-21-9-9-9-525")];
                return [LdapAnswers.Entry(request.Id, request.Base, ("tokenGroups", groups)), LdapAnswers.Done(request.Id)];
            }
            Interlocked.Increment(ref _searches);
            return [.. Answers.Select(account => LdapAnswers.Entry(
                request.Id, account.Entry,
                ("sAMAccountName", LdapAnswers.Texts(account.Name)),
                ("objectSid", [Accounts.SecurityIdentifiers.Parse(account.Sid)]),
                ("userAccountControl", LdapAnswers.Texts(account.Control.ToString(CultureInfo.InvariantCulture))),
                ("msDS-User-Account-Control-Computed", LdapAnswers.Texts(account.Computed.ToString(CultureInfo.InvariantCulture))),
                ("accountExpires", LdapAnswers.Texts(account.Expires)))), LdapAnswers.Done(request.Id)];
        }
    }

    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
