using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Gateway.Tests.Sessions;

/// <summary>The refresh of a session's tokens: once for all requests, and without a return of sessions that have ended.</summary>
public sealed class SessionRefreshTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(30);

    private readonly SessionFixture _fixture = new();
    private readonly Provider _provider = new();
    private readonly SessionStore _store;
    private readonly SessionRefresh _refresh;

    public SessionRefreshTests()
    {
        _store = _fixture.Start();
        _refresh = new SessionRefresh(_store, _provider, _fixture.Time, NullLoggerFactory.Instance);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Fifty_parallel_requests_cause_one_refresh_and_all_get_the_new_tokens()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        _provider.Respond = async (ticket, session) =>
        {
            await Task.Delay(100, Cancellation);
            return Renewed(ticket, session, "second");
        };

        var tickets = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => GetAsync(reference))));

        _provider.Count.ShouldBe(1);
        tickets.ShouldAllBe(ticket => SessionTicket.Read(ticket!.Properties)!.RefreshToken == "second");
        (await GetAsync(reference)).ShouldNotBeNull();
        _provider.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_with_old_content_does_not_send_the_refresh_token_again()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        var old = (await _store.RetrieveAsync(reference.Text))!;
        _provider.Respond = (ticket, session) => Task.FromResult(Renewed(ticket, session, "second"));
        await _refresh.GetCurrentAsync(reference, old, Cancellation);

        var ticket = await _refresh.GetCurrentAsync(reference, old, Cancellation);
        SessionTicket.Read(ticket!.Properties)!.RefreshToken.ShouldBe("second");
        _provider.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Tokens_that_are_not_due_are_not_refreshed()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.5);

        (await GetAsync(reference)).ShouldNotBeNull();
        _provider.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_refresh_that_the_provider_refuses_ends_the_session()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        _provider.Respond = static (_, _) => Task.FromResult(new TokenRefresh(null, IsRefused: true, "invalid_grant"));

        (await GetAsync(reference)).ShouldBeNull();
        _fixture.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_an_answer_of_the_provider_a_session_is_used_until_its_tokens_end_and_returns_with_the_provider()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        (await GetAsync(reference)).ShouldNotBeNull();
        (await GetAsync(reference)).ShouldNotBeNull();
        _provider.Count.ShouldBe(1, "the next attempt follows after half a minute");
        _fixture.Time.Advance(Life * 0.1);
        (await GetAsync(reference)).ShouldBeNull();
        _provider.Count.ShouldBe(2);

        _provider.Respond = (ticket, session) => Task.FromResult(Renewed(ticket, session, "second"));
        _fixture.Time.Advance(TimeSpan.FromSeconds(31));
        (await GetAsync(reference)).ShouldNotBeNull();
    }

    [Fact]
    public async Task After_a_failure_shortly_before_the_tokens_end_the_provider_is_asked_again_before_their_end()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life - TimeSpan.FromSeconds(12));
        (await GetAsync(reference)).ShouldNotBeNull();
        _fixture.Time.Advance(TimeSpan.FromSeconds(4));
        (await GetAsync(reference)).ShouldNotBeNull();
        _provider.Count.ShouldBe(1, "each session asks once in five seconds at most");

        _provider.Respond = (ticket, session) => Task.FromResult(Renewed(ticket, session, "second"));
        _fixture.Time.Advance(TimeSpan.FromSeconds(2));
        SessionTicket.Read((await GetAsync(reference))!.Properties)!.RefreshToken.ShouldBe("second");
        _fixture.Time.Advance(TimeSpan.FromSeconds(7));
        (await GetAsync(reference)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_sign_out_during_the_refresh_is_not_undone()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        _provider.Respond = async (ticket, session) =>
        {
            await _store.RemoveAsync(reference.Text);
            return Renewed(ticket, session, "second");
        };

        (await GetAsync(reference)).ShouldBeNull();
        (await _store.RetrieveAsync(reference.Text)).ShouldBeNull();
        _fixture.Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_refresh_token_a_session_of_an_access_token_ends_with_it_and_one_of_an_id_token_does_not()
    {
        var access = await StoreAsync(session => session with { RefreshToken = null, EndsWithTokens = true });
        var identity = await StoreAsync(session => session with { RefreshToken = null });
        _fixture.Time.Advance(Life);

        (await GetAsync(access)).ShouldBeNull();
        (await GetAsync(identity)).ShouldNotBeNull();
        _provider.Count.ShouldBe(0);
    }

    [Fact]
    public async Task The_cancellation_of_one_request_does_not_cancel_the_refresh_of_the_others()
    {
        var reference = await StoreAsync();
        _fixture.Time.Advance(Life * 0.9);
        using var cancelled = new CancellationTokenSource();
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _provider.Respond = async (ticket, session) =>
        {
            await finish.Task;
            return Renewed(ticket, session, "second");
        };
        var old = (await _store.RetrieveAsync(reference.Text))!;
        var first = _refresh.GetCurrentAsync(reference, old, cancelled.Token);
        var second = _refresh.GetCurrentAsync(reference, old, Cancellation);
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(first);
        finish.SetResult();

        (await second).ShouldNotBeNull();
        _provider.Count.ShouldBe(1);
    }

    private async Task<SessionReference> StoreAsync(Func<SessionTicket, SessionTicket>? change = null)
    {
        var now = _fixture.Time.GetUtcNow();
        var text = await _store.StoreAsync(_fixture.CreateTicket(change: session =>
        {
            session = session with { RefreshToken = "first", RefreshAt = now + (Life * 0.8), TokensEnd = now + Life };
            return change?.Invoke(session) ?? session;
        }));
        SessionReference.TryParse(text, out var reference).ShouldBeTrue();
        return reference;
    }

    private async Task<AuthenticationTicket?> GetAsync(SessionReference reference) =>
        await _store.RetrieveAsync(reference.Text) is { } ticket
            ? await _refresh.GetCurrentAsync(reference, ticket, Cancellation) : null;

    private TokenRefresh Renewed(AuthenticationTicket ticket, SessionTicket session, string refreshToken)
    {
        var now = _fixture.Time.GetUtcNow();
        (session with { RefreshToken = refreshToken, RefreshAt = now + (Life * 0.8), TokensEnd = now + Life }).Write(ticket.Properties);
        return new TokenRefresh(ticket, IsRefused: false, "");
    }

    private sealed class Provider : ITokenRefresher
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Func<AuthenticationTicket, SessionTicket, Task<TokenRefresh>> Respond { get; set; } =
            static (_, _) => Task.FromResult(new TokenRefresh(null, IsRefused: false, "no answer"));

        public Task<TokenRefresh> RefreshAsync(AuthenticationTicket ticket, SessionTicket session, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _count);
            return Respond(ticket, session);
        }
    }
}
