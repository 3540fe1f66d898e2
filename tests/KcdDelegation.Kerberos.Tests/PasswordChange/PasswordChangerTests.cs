using KcdDelegation.Kerberos.AccountKeys;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.PasswordChange;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using KcdDelegation.Testing;
using KcdDelegation.Testing.Listening;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests.PasswordChange;

/// <summary>The change of a password at the password server of the embedded realm.</summary>
public sealed class PasswordChangerTests : IAsyncDisposable
{
    private readonly TestRealm _realm = TestRealm.Start().Account("gw$", password: "first");
    private readonly Password _first = new("first");
    private readonly Password _second = new("second-password");
    private readonly List<IAsyncDisposable> _owned = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var owned in _owned)
            await owned.DisposeAsync();
        await _realm.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    [Theory]
    [InlineData(KdcTransport.Tcp)]
    [InlineData(KdcTransport.Udp)]
    public async Task The_password_is_changed_over_either_transport(KdcTransport transport)
    {
        var changer = CreateChanger(_realm.PasswordEndpoint with { Transport = transport });
        (await changer.ChangeAsync(_first, _second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Changed>();
        await changer.ConfirmAsync(_second, Stop);
        (await Should.ThrowAsync<KerberosException>(() => changer.ConfirmAsync(_first, Stop))).Code
            .ShouldBe(KerberosErrorCode.PreAuthenticationFailed);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_skipped()
    {
        var changer = CreateChanger(new KdcEndpoint("host.invalid", 464), _realm.PasswordEndpoint);
        (await changer.ChangeAsync(_first, _second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Changed>();
    }

    [Fact]
    public async Task An_unreachable_server_is_an_error_that_says_that_nothing_was_sent()
    {
        var changer = CreateChanger(new KdcEndpoint("host.invalid", 464));
        var error = await Should.ThrowAsync<KerberosException>(() => changer.ChangeAsync(_first, _second, Stop));
        (error.Reason, error.Exchange).ShouldBe((KerberosFailureReason.KdcUnreachable, KerberosExchange.PasswordChange));
        error.Detail.ShouldContain("host.invalid:464");
        await changer.ConfirmAsync(_first, Stop);
    }

    [Fact]
    public async Task A_wrong_current_password_is_proven_once_and_nothing_is_sent()
    {
        var changer = CreateChanger(_realm.PasswordEndpoint);
        var error = await Should.ThrowAsync<KerberosException>(() => changer.ChangeAsync(_second, _first, Stop));
        error.Code.ShouldBe(KerberosErrorCode.PreAuthenticationFailed);
        _realm.Transcript.ShouldBe(["AS gw$ KDC_ERR_PREAUTH_FAILED"]);
    }

    [Fact]
    public async Task A_refusal_names_the_servers_reason_and_leaves_the_password()
    {
        _realm.PasswordService.Refusal = new PasswordResult(PasswordResultCode.PolicyViolation, "too soon");
        var changer = CreateChanger(_realm.PasswordEndpoint);
        var refused = (await changer.ChangeAsync(_first, _second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Refused>();
        refused.Result.ShouldBe(new PasswordResult(PasswordResultCode.PolicyViolation, "too soon"));
        await changer.ConfirmAsync(_first, Stop);
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("closed")]
    [InlineData("cut")]
    [InlineData("sequence")]
    [InlineData("server error")]
    public async Task A_lost_or_invalid_reply_is_no_refusal_and_the_request_is_not_sent_again(string fault)
    {
        var requests = 0;
        _realm.PasswordService.Alter = answer =>
        {
            requests++;
            return fault == "sequence" ? answer with { Part = answer.Part with { SequenceNumber = 1 } } : answer;
        };
        _realm.PasswordService.Deliver = delivery => fault switch
        {
            "silent" => delivery with { Mode = DeliveryMode.Silent },
            "closed" => delivery with { Mode = DeliveryMode.Close },
            "cut" => delivery with { Cut = 40 },
            _ => delivery,
        };
        if (fault == "server error")
            _realm.PasswordService.Refusal = new PasswordResult(PasswordResultCode.ServerError, "disk");
        // The server is listed twice: the second entry must not be used after the first received the request.
        var changer = CreateChanger(
            TimeSpan.FromSeconds(1), _realm.PasswordEndpoint, _realm.PasswordEndpoint with { Transport = KdcTransport.Udp });
        (await changer.ChangeAsync(_first, _second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Unknown>();
        requests.ShouldBe(1);
    }

    [Fact]
    public async Task Datagrams_that_are_not_the_answer_are_ignored()
    {
        var changer = CreateChanger(TimeSpan.FromSeconds(1), _realm.PasswordEndpoint with { Transport = KdcTransport.Udp });
        _realm.PasswordService.Deliver = delivery => delivery with { Answer = new byte[] { 1, 2, 3 } };
        (await changer.ChangeAsync(_first, _second, Stop)).ShouldBeOfType<PasswordChangeOutcome.Unknown>();
    }

    private PasswordChanger CreateChanger(params KdcEndpoint[] servers) => CreateChanger(TimeSpan.FromSeconds(10), servers);

    private PasswordChanger CreateChanger(TimeSpan replyTimeout, params KdcEndpoint[] servers)
    {
        var time = TimeProvider.System;
        var dispatcher = KdcDispatcher.Create([KeyValuePair.Create<string, IReadOnlyList<KdcEndpoint>>(_realm.Name, [_realm.Endpoint])],
            time, NullLogger.Instance);
        var limits = new RealmConcurrencyLimits(_realm.Name, 4, 4);
        _owned.Add(dispatcher);
        var context = new ExchangeContext
        {
            Realm = _realm.Name, Account = ServiceAccount.FromPassword("gw$", "unused"),
            EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1], MaxClockCorrection = TimeSpan.FromHours(1), Clock = new KdcClock(time),
            Dispatcher = dispatcher, Limits = limits, Logger = NullLogger.Instance,
        };
        var timing = new KdcTiming();
        return new PasswordChanger(
            context, PasswordServers.Create(servers, [], time, NullLogger.Instance),
            new SingleDelivery(new KdcConnector(SystemHostResolver.ResolveAsync, timing, time), timing, time)
            {
                ReplyTimeout = replyTimeout,
            });
    }
}
