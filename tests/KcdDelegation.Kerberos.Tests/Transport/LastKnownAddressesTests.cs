using System.Net.Sockets;
using System.Net;
using KcdDelegation.Kerberos.Transport;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Kerberos.Tests.Transport;

public sealed class LastKnownAddressesTests
{
    private static readonly IPAddress[] Old = [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2")];
    private static readonly IPAddress[] New = [IPAddress.Parse("192.0.2.3")];

    private readonly FakeTimeProvider _time = new();
    private readonly KdcTiming _timing = new();
    private readonly LastKnownAddresses _hosts;
    private Func<string, CancellationToken, Task<IPAddress[]>> _resolve = static (_, _) => Task.FromResult(Old);
    private int _asked;

    public LastKnownAddressesTests() => _hosts = new LastKnownAddresses(
        (host, token) =>
        {
            _asked++;
            return _resolve(host, token);
        },
        _timing,
        _time);

    [Theory]
    [InlineData(SocketError.TryAgain)]
    [InlineData(SocketError.HostNotFound)]
    public async Task The_last_addresses_are_used_while_a_name_cannot_be_resolved(SocketError error)
    {
        (await ResolveAsync("dc1")).ShouldBe(Old);
        Fail(error);

        (await ResolveAsync("DC1")).ShouldBe(Old);
        // The resolver is not asked again for a while, so that an outage does not delay each request.
        (await ResolveAsync("dc1")).ShouldBe(Old);
        _asked.ShouldBe(2);
    }

    [Fact]
    public async Task The_resolver_is_asked_for_each_request_and_after_a_failure_again_after_the_retry_interval()
    {
        await ResolveAsync("dc1");
        await ResolveAsync("dc1");
        _asked.ShouldBe(2);
        Fail(SocketError.TryAgain);
        await ResolveAsync("dc1");

        _resolve = static (_, _) => Task.FromResult(New);
        _time.Advance(_timing.RetryFailedAfter);

        (await ResolveAsync("dc1")).ShouldBe(New);
        Fail(SocketError.TryAgain);
        (await ResolveAsync("dc1")).ShouldBe(New);
    }

    [Fact]
    public async Task A_name_that_was_never_resolved_fails_each_time()
    {
        Fail(SocketError.TryAgain);

        (await Should.ThrowAsync<SocketException>(() => ResolveAsync("dc1"))).SocketErrorCode.ShouldBe(SocketError.TryAgain);
        await Should.ThrowAsync<SocketException>(() => ResolveAsync("dc1"));
        _asked.ShouldBe(2);
    }

    [Fact]
    public async Task A_silent_resolver_times_out_and_its_late_answer_is_kept()
    {
        await ResolveAsync("dc1");
        var late = new TaskCompletionSource<IPAddress[]>();
        _resolve = (_, _) => late.Task;
        var waiting = ResolveAsync("dc1");
        waiting.IsCompleted.ShouldBeFalse();

        _time.Advance(_timing.ResolverTimeout);
        (await waiting).ShouldBe(Old);
        late.SetResult(New);
        Fail(SocketError.TryAgain);

        (await ResolveAsync("dc1")).ShouldBe(New);
    }

    [Fact]
    public async Task A_canceled_request_does_not_get_old_addresses()
    {
        await ResolveAsync("dc1");
        _resolve = static (_, _) => new TaskCompletionSource<IPAddress[]>().Task;
        using var cancellation = new CancellationTokenSource();
        var waiting = _hosts.ResolveAsync("dc1", cancellation.Token);

        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task The_number_of_remembered_names_is_bounded()
    {
        for (var i = 0; i <= 1024; i++)
            await ResolveAsync($"dc{i}");
        Fail(SocketError.TryAgain);

        (await ResolveAsync("dc1024")).ShouldBe(Old);
        await Should.ThrowAsync<SocketException>(() => ResolveAsync("dc0"));
    }

    private void Fail(SocketError error) => _resolve = (_, _) => throw new SocketException((int)error);

    private Task<IPAddress[]> ResolveAsync(string host) => _hosts.ResolveAsync(host, TestContext.Current.CancellationToken);
}
