using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Tests.TicketCache;

namespace KcdDelegation.Kerberos.Tests;

public sealed class AuthenticatorTimestampsTests
{
    private static readonly int Ada = AuthenticatorTimestamps.GetSequence("ada", "CONTOSO.TEST");

    private readonly ManualClock _time = new();

    [Fact]
    public async Task No_two_threads_get_the_same_timestamp_of_a_user()
    {
        const int threads = 8, each = 20_000;
        var timestamps = new AuthenticatorTimestamp[threads * each];
        await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(() =>
        {
            var mine = AuthenticatorTimestamps.Get(TimeProvider.System);
            for (var i = 0; i < each; i++)
                timestamps[(thread * each) + i] = mine.Next(Ada, TimeSpan.Zero);
        })));
        timestamps.Distinct().Count().ShouldBe(timestamps.Length);
        timestamps.ShouldAllBe(
            timestamp => timestamp.Microseconds >= AuthenticatorTimestamps.FirstMicrosecond && timestamp.Microseconds < 1_000_000);
    }

    [Fact]
    public void All_clients_of_a_time_provider_share_the_sequences()
    {
        AuthenticatorTimestamps.Get(_time).ShouldBeSameAs(AuthenticatorTimestamps.Get(_time));
        AuthenticatorTimestamps.Get(_time).ShouldNotBeSameAs(AuthenticatorTimestamps.Get(TimeProvider.System));
    }

    [Fact]
    public async Task A_sequence_runs_two_seconds_ahead_of_the_clock_and_then_waits_for_it()
    {
        var timestamps = AuthenticatorTimestamps.Get(_time);
        var start = _time.GetUtcNow().ToUnixTimeSeconds();
        var last = default(AuthenticatorTimestamp);
        for (var i = 0; i <= 2 * AuthenticatorTimestamps.PerSecond; i++)
            last = timestamps.Next(Ada, TimeSpan.Zero);
        last.ShouldBe(new AuthenticatorTimestamp(start + 2, AuthenticatorTimestamps.FirstMicrosecond));

        var waiting = Task.Run(() => timestamps.Next(Ada, TimeSpan.Zero), TestContext.Current.CancellationToken);
        (await Task.WhenAny(waiting, Task.Delay(50, TestContext.Current.CancellationToken))).ShouldNotBeSameAs(waiting);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        (await waiting).ShouldBe(new AuthenticatorTimestamp(start + 2, AuthenticatorTimestamps.FirstMicrosecond + 1));
    }

    [Fact]
    public void A_clock_that_is_set_back_stops_no_request()
    {
        var timestamps = AuthenticatorTimestamps.Get(_time);
        timestamps.Next(Ada, TimeSpan.Zero);
        _time.Advance(-TimeSpan.FromMinutes(10));
        timestamps.Next(Ada, TimeSpan.Zero).UnixSeconds.ShouldBe(_time.GetUtcNow().ToUnixTimeSeconds());
    }

    [Fact]
    public void A_clock_that_is_set_back_a_little_repeats_no_timestamp()
    {
        var timestamps = AuthenticatorTimestamps.Get(_time);
        var before = timestamps.Next(Ada, TimeSpan.Zero);
        _time.Advance(-TimeSpan.FromMilliseconds(500));
        timestamps.Next(Ada, TimeSpan.Zero).ShouldBe(before with { Microseconds = before.Microseconds + 1 });
    }

    [Theory]
    [InlineData(600)]
    [InlineData(-600)]
    public void Clients_whose_KDCs_clocks_differ_do_not_delay_each_other(int seconds)
    {
        var timestamps = AuthenticatorTimestamps.Get(_time);
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        timestamps.Next(Ada, TimeSpan.FromSeconds(seconds)).UnixSeconds.ShouldBe(now + seconds);
        timestamps.Next(Ada, TimeSpan.Zero).UnixSeconds.ShouldBe(now);
    }

    [Fact]
    public void The_fraction_of_a_second_is_scaled_into_the_range()
    {
        _time.Advance(TimeSpan.FromMilliseconds(250));
        AuthenticatorTimestamps.Get(_time)
            .Next(Ada, TimeSpan.Zero).Microseconds.ShouldBe(
            AuthenticatorTimestamps.FirstMicrosecond + (AuthenticatorTimestamps.PerSecond / 4));
    }
}
