using System.Buffers.Text;
using System.Text;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.Tests.Sessions;

/// <summary>The sessions on the server side: their files, their ends and their limits.</summary>
public sealed class SessionStoreTests : IDisposable
{
    private readonly SessionFixture _fixture = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task A_session_survives_a_restart_with_its_caller_and_its_tokens()
    {
        var reference = await _fixture.Start().StoreAsync(_fixture.CreateTicket());

        var ticket = await _fixture.Start().RetrieveAsync(reference);

        ticket.ShouldNotBeNull();
        ticket.Principal.FindFirst("upn")!.Value.ShouldBe("ada@contoso.test");
        ticket.Principal.Identity!.AuthenticationType.ShouldBe("IdToken");
        var session = SessionTicket.Read(ticket.Properties)!;
        (session.IdToken, session.SessionId, session.Host).ShouldBe(("id-token-of-ada", "sid-1", "erp.contoso.test"));
    }

    [Fact]
    public async Task A_reference_has_256_random_bits_and_no_file_contains_it_or_a_token()
    {
        var store = _fixture.Start();
        var first = await store.StoreAsync(_fixture.CreateTicket());
        var second = await store.StoreAsync(_fixture.CreateTicket());

        first.ShouldNotBe(second);
        first.Length.ShouldBe(43);
        foreach (var path in _fixture.Files)
        {
            var content = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(path, Cancellation));
            (path + content).ShouldNotContain(first);
            // A reader of the directory must not learn the bits of the reference in another encoding either.
            (path + content).ShouldNotContain(Convert.ToHexString(Base64Url.DecodeFromChars(first)), Case.Insensitive);
            content.ShouldNotContain("id-token-of-ada");
        }
        // The names of files are hashes, which are no references.
        foreach (var path in _fixture.Files)
            (await store.RetrieveAsync(Path.GetFileNameWithoutExtension(path))).ShouldBeNull();
    }

    [Fact]
    public async Task Only_the_owner_can_read_the_directory_and_the_files()
    {
        if (OperatingSystem.IsWindows())
            return;
        Directory.CreateDirectory(_fixture.Sessions);
        File.SetUnixFileMode(_fixture.Sessions, (UnixFileMode)0b111_101_101);
        await _fixture.Start().StoreAsync(_fixture.CreateTicket());

        File.GetUnixFileMode(_fixture.Sessions).ShouldBe((UnixFileMode)0b111_000_000);
        File.GetUnixFileMode(_fixture.Files.ShouldHaveSingleItem()).ShouldBe((UnixFileMode)0b110_000_000);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("../../../../../../../../../../../etc/passwd0")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ")]
    public void Only_the_canonical_encoding_of_32_bytes_is_a_reference(string text) =>
        SessionReference.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public async Task A_file_that_was_changed_is_no_session()
    {
        var reference = await _fixture.Start().StoreAsync(_fixture.CreateTicket());
        var path = _fixture.Files.Single();
        var content = await File.ReadAllBytesAsync(path, Cancellation);
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(path, content, Cancellation);

        (await _fixture.Start().RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task The_file_of_one_session_is_not_accepted_under_the_name_of_another()
    {
        var store = _fixture.Start();
        await store.StoreAsync(_fixture.CreateTicket("administrator"));
        var administrators = _fixture.Files.Single();
        var reference = await store.StoreAsync(_fixture.CreateTicket("eve"));
        var eves = _fixture.Files.Single(path => path != administrators);
        File.Copy(administrators, eves, overwrite: true);

        (await _fixture.Start().RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task A_session_of_other_keys_is_no_session_and_its_file_is_removed_after_the_absolute_life()
    {
        var reference = await _fixture.Start().StoreAsync(_fixture.CreateTicket());
        Directory.Delete(_fixture.Keys, recursive: true);
        var store = _fixture.Start();

        (await store.RetrieveAsync(reference)).ShouldBeNull();
        await store.RemoveEndedAsync(Cancellation);
        _fixture.Files.ShouldHaveSingleItem();
        _fixture.Time.Advance(_fixture.Settings.AbsoluteLife);
        await store.RemoveEndedAsync(Cancellation);
        _fixture.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_ends_after_its_idle_life()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        _fixture.Time.Advance(_fixture.Settings.IdleLife - TimeSpan.FromSeconds(1));
        (await store.RetrieveAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(_fixture.Settings.IdleLife - TimeSpan.FromSeconds(1));
        (await store.RetrieveAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(_fixture.Settings.IdleLife);

        (await store.RetrieveAsync(reference)).ShouldBeNull();
        _fixture.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_idle_life_goes_on_over_a_restart()
    {
        var reference = await _fixture.Start().StoreAsync(_fixture.CreateTicket());
        _fixture.Time.Advance(_fixture.Settings.IdleLife / 2);
        (await _fixture.Start().RetrieveAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(_fixture.Settings.IdleLife * 0.75);
        (await _fixture.Start().RetrieveAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(_fixture.Settings.IdleLife);

        (await _fixture.Start().RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task A_session_ends_after_its_absolute_life_however_often_it_is_used()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        for (var i = 0; i < 15; i++)
        {
            _fixture.Time.Advance(_fixture.Settings.AbsoluteLife / 16);
            (await store.RetrieveAsync(reference)).ShouldNotBeNull();
        }
        _fixture.Time.Advance(_fixture.Settings.AbsoluteLife / 16);

        (await store.RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task A_shorter_life_of_the_settings_applies_to_sessions_that_exist()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        _fixture.Time.Advance(TimeSpan.FromMinutes(20));
        _fixture.Settings = _fixture.Settings with { AbsoluteLife = TimeSpan.FromMinutes(10) };

        (await store.RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task Ended_sessions_of_earlier_processes_are_removed()
    {
        await _fixture.Start().StoreAsync(_fixture.CreateTicket());
        _fixture.Time.Advance(_fixture.Settings.IdleLife);
        var store = _fixture.Start();

        (await store.RemoveEndedAsync(Cancellation)).ShouldBe(1);
        _fixture.Files.ShouldBeEmpty();
        store.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_session_no_longer_exists_before_its_end_aborts_its_requests()
    {
        var store = _fixture.Start();
        var text = await store.StoreAsync(_fixture.CreateTicket());
        SessionReference.TryParse(text, out var reference).ShouldBeTrue();
        (await store.RetrieveAsync(reference)).ShouldNotBeNull();
        store.Exists(reference).ShouldBeTrue();
        // A request that is added later than this is not aborted, and must not be served either.
        bool? existedAtAbort = null;
        using var open = Open(text, CreateContext(() => existedAtAbort = store.Exists(reference)));

        await store.RemoveAsync(text);

        existedAtAbort.ShouldBe(false);
        store.Exists(reference).ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_that_another_process_ended_no_longer_exists_after_the_next_cleanup()
    {
        var (first, second) = (_fixture.Start(), _fixture.Start());
        var text = await first.StoreAsync(_fixture.CreateTicket());
        SessionReference.TryParse(text, out var reference).ShouldBeTrue();
        (await second.RetrieveAsync(reference)).ShouldNotBeNull();
        await first.RemoveAsync(text);

        await second.RemoveEndedAsync(Cancellation);

        second.Exists(reference).ShouldBeFalse();
    }

    [Fact]
    public async Task A_session_that_another_process_ended_has_ended()
    {
        var (first, second) = (_fixture.Start(), _fixture.Start());
        var reference = await first.StoreAsync(_fixture.CreateTicket());
        (await second.RetrieveAsync(reference)).ShouldNotBeNull();
        await first.RemoveAsync(reference);

        (await second.RetrieveAsync(reference)).ShouldBeNull();
        second.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_renewal_does_not_revive_a_session_that_has_ended()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        var ticket = (await store.RetrieveAsync(reference))!;
        await store.RemoveAsync(reference);

        (await store.TryRenewAsync(reference, ticket)).ShouldBeFalse();
        (await store.RetrieveAsync(reference)).ShouldBeNull();
        _fixture.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_renewal_with_earlier_content_keeps_the_end_that_a_new_sign_in_has_given()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        // A refresh of the tokens begins before the sign-in, and ends after it.
        var earlier = (await store.RetrieveAsync(reference))!;
        await store.RetireAsync(reference, TimeSpan.FromSeconds(30));

        (await store.TryRenewAsync(reference, earlier)).ShouldBeTrue();

        (await store.RetrieveAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(TimeSpan.FromSeconds(31));
        (await store.RetrieveAsync(reference)).ShouldBeNull();
    }

    [Fact]
    public async Task A_request_that_changes_its_caller_does_not_change_that_of_the_next()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        var first = (await store.RetrieveAsync(reference))!;
        first.Principal.AddIdentity(new System.Security.Claims.ClaimsIdentity([new("upn", "administrator@contoso.test")]));
        first.Properties.Items.Clear();

        var second = (await store.RetrieveAsync(reference))!;
        second.Principal.FindAll("upn").Select(claim => claim.Value).ShouldBe(["ada@contoso.test"]);
        SessionTicket.Read(second.Properties).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(10)]
    public async Task A_user_has_a_limited_number_of_sessions_and_the_oldest_one_ends(int milliseconds)
    {
        _fixture.Settings = _fixture.Settings with { MaxSessionsPerUser = 10 };
        var store = _fixture.Start();
        var references = new List<string>();
        var other = await store.StoreAsync(_fixture.CreateTicket("bob"));
        for (var i = 0; i < 30; i++)
        {
            references.Add(await store.StoreAsync(_fixture.CreateTicket()));
            _fixture.Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        }

        foreach (var ended in references.Take(20))
            (await store.RetrieveAsync(ended)).ShouldBeNull();
        foreach (var kept in references.Skip(20))
            (await store.RetrieveAsync(kept)).ShouldNotBeNull();
        (await store.RetrieveAsync(other)).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_number_of_sessions_is_limited_and_no_sign_in_ends_the_session_of_another_user()
    {
        _fixture.Settings = _fixture.Settings with { MaxSessions = 2 };
        var store = _fixture.Start();
        var ada = await store.StoreAsync(_fixture.CreateTicket());
        await store.StoreAsync(_fixture.CreateTicket("bob"));

        await Should.ThrowAsync<SessionLimitException>(() => store.StoreAsync(_fixture.CreateTicket("eve")));
        (await store.RetrieveAsync(ada)).ShouldNotBeNull();
        _fixture.Time.Advance(_fixture.Settings.IdleLife);
        await store.StoreAsync(_fixture.CreateTicket("eve"));
    }

    [Theory]
    [InlineData("ada", null, "ada-1 ada-2 ada-none")]
    [InlineData(null, "sid-1", "ada-1")]
    [InlineData("ada", "sid-1", "ada-1 ada-none")]
    [InlineData("bob", "sid-1", "")]
    [InlineData(null, null, "")]
    public async Task Sessions_are_found_by_user_and_by_the_session_of_the_provider_after_a_restart(
        string? subject, string? sessionId, string expected)
    {
        var store = _fixture.Start();
        (string Name, string User, string? SessionId)[] all =
            [("ada-1", "ada", "sid-1"), ("ada-2", "ada", "sid-2"), ("ada-none", "ada", null), ("eve", "eve", "sid-3")];
        foreach (var (name, user, sid) in all)
            await store.StoreAsync(_fixture.CreateTicket(user, sid, change: session => session with { IdToken = name }));

        var found = await _fixture.Start().FindAsync("https://issuer.test", subject, sessionId, Cancellation);
        var names = found.Select(session => SessionTicket.Read(session.Ticket.Properties)!.IdToken).Order(StringComparer.Ordinal);
        string.Join(' ', names).ShouldBe(expected);
        (await store.FindAsync("https://other.test", subject, sessionId, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_end_of_a_session_aborts_its_open_requests_and_no_others()
    {
        var store = _fixture.Start();
        var ada = await store.StoreAsync(_fixture.CreateTicket());
        var bob = await store.StoreAsync(_fixture.CreateTicket("bob"));
        var (first, second, ended) = (CreateContext(), CreateContext(), CreateContext());
        using var one = Open(ada, first);
        using var two = Open(bob, second);
        Open(ada, ended).Dispose();
        await store.RemoveAsync(ada);

        first.RequestAborted.IsCancellationRequested.ShouldBeTrue();
        second.RequestAborted.IsCancellationRequested.ShouldBeFalse();
        ended.RequestAborted.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task An_open_request_keeps_a_session_from_being_idle_and_is_aborted_at_the_absolute_end()
    {
        var store = _fixture.Start();
        var reference = await store.StoreAsync(_fixture.CreateTicket());
        var stream = CreateContext();
        using var open = Open(reference, stream);
        _fixture.Time.Advance(_fixture.Settings.IdleLife * 2);
        await store.RemoveEndedAsync(Cancellation);
        stream.RequestAborted.IsCancellationRequested.ShouldBeFalse();
        _fixture.Time.Advance(_fixture.Settings.AbsoluteLife);
        await store.RemoveEndedAsync(Cancellation);

        stream.RequestAborted.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task A_write_that_was_interrupted_leaves_nothing_after_an_hour()
    {
        var store = _fixture.Start();
        await store.StoreAsync(_fixture.CreateTicket());
        var unfinished = Path.Combine(_fixture.Sessions, $".{Path.GetFileName(_fixture.Files.Single())}.0123456789abcdef");
        await File.WriteAllTextAsync(unfinished, "half", Cancellation);
        File.SetLastWriteTimeUtc(unfinished, _fixture.Time.GetUtcNow().UtcDateTime);
        await store.RemoveEndedAsync(Cancellation);
        File.Exists(unfinished).ShouldBeTrue();
        store.Count.ShouldBe(1);
        _fixture.Time.Advance(TimeSpan.FromHours(1.1));
        await store.RemoveEndedAsync(Cancellation);

        File.Exists(unfinished).ShouldBeFalse();
    }

    private static DefaultHttpContext CreateContext(Action? aborted = null)
    {
        var context = new DefaultHttpContext();
        context.Features.Set<IHttpRequestLifetimeFeature>(new Lifetime(aborted));
        return context;
    }

    private IDisposable Open(string reference, HttpContext context)
    {
        SessionReference.TryParse(reference, out var parsed).ShouldBeTrue();
        return _fixture.Requests.Add(parsed.Hash, context);
    }

    private sealed class Lifetime(Action? aborted) : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public void Abort()
        {
            RequestAborted = new CancellationToken(canceled: true);
            aborted?.Invoke();
        }
    }
}
