using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.Transport;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;
using KcdDelegation.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>The validation of AS replies (RFC 4120 §3.1.5). The replies are encrypted with the account's key.</summary>
public sealed class AsExchangeTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.TEST";

    private static readonly EncryptionType[] Types = [EncryptionType.Aes256CtsHmacSha1];

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceAccount _account = ServiceAccount.FromPassword("gw", "secret");
    private readonly KdcDispatcher _dispatcher;
    private readonly RealmConcurrencyLimits _limits = new(Realm, 1, 1);
    private readonly ExchangeContext _context;
    private readonly LogOnKey _key;

    public AsExchangeTests()
    {
        _dispatcher = KdcDispatcher.Create([], _time, NullLogger.Instance);
        _context = new ExchangeContext
        {
            Realm = Realm,
            Account = _account,
            EncryptionTypes = Types,
            MaxClockCorrection = TimeSpan.FromHours(1),
            Clock = new KdcClock(_time),
            Dispatcher = _dispatcher,
            Limits = _limits,
            Logger = NullLogger.Instance,
        };
        _key = LogOnKey.Choose(_context, Types, [new EtypeInfo2Entry(Types[0], "salt", null)]);
    }

    public async ValueTask DisposeAsync()
    {
        await _dispatcher.DisposeAsync();
        _limits.Dispose();
        _account.Dispose();
    }

    [Fact]
    public void A_ticket_for_the_ticket_granting_service_of_the_realm_is_accepted() =>
        Check(Realm, "krbtgt", Realm).ShouldBeOfType<AsOutcome.Ticket>();

    [Fact]
    public void The_spelling_of_the_realm_may_differ_in_case() =>
        Check("contoso.test", "krbtgt", "contoso.test").ShouldBeOfType<AsOutcome.Ticket>();

    [Theory]
    [InlineData("EVIL.TEST", "krbtgt", "EVIL.TEST")]
    [InlineData("EVIL.TEST", "krbtgt", Realm)]
    [InlineData(Realm, "krbtgt", "EVIL.TEST")]
    [InlineData(Realm, "HTTP", Realm)]
    [InlineData(Realm, "krbtgt", "contoso.test")]
    public void A_ticket_for_another_service_or_realm_is_rejected(string realm, string service, string instance) =>
        ShouldBeRejected(() => Check(realm, service, instance, clientRealm: realm));

    [Fact]
    public void A_client_of_another_realm_is_rejected() => ShouldBeRejected(() => Check(Realm, "krbtgt", Realm, clientRealm: "EVIL.TEST"));

    [Fact]
    public void A_TGS_REP_is_not_an_answer_to_an_AS_REQ() =>
        ShouldBeRejected(() => Check(Realm, "krbtgt", Realm, type: KdcMessageType.TgsReply));

    [Fact]
    public void A_reply_under_a_key_of_a_type_that_was_not_offered_is_rejected()
    {
        var key = LogOnKey.Choose(_context, [EncryptionType.Aes128CtsHmacSha1], []).Key;
        ShouldBeRejected(() => Check(Realm, "krbtgt", Realm, replyKey: key));
    }

    [Fact]
    public void The_timestamps_of_requests_within_one_instant_differ()
    {
        var target = LogOnTarget.TicketGranting(_context.Realm);
        var timestamps = Enumerable.Range(0, 100)
            .Select(_ => ReadTimestamp(new AsExchange(_context, target, Types, _key, TimeSpan.Zero))).ToList();

        // KDCs reject a repeated pair of time and microseconds as a replay (RFC 4120 §3.1.3).
        timestamps.Distinct().Count().ShouldBe(100);
        timestamps.ShouldAllBe(timestamp => (timestamp.Time - _time.GetUtcNow()).Duration() < TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData(59, true)]
    [InlineData(-59, true)]
    [InlineData(61, false)]
    [InlineData(-61, false)]
    public async Task A_clock_difference_is_corrected_up_to_the_maximum(int minutes, bool isCorrected)
    {
        await using var realm = TestRealm.Start().Account("gw").ClockAhead(TimeSpan.FromMinutes(minutes));
        using var account = realm.CreateServiceAccount("gw");
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name,
            Account = account,
            Kdcs = { [realm.Name] = [realm.Endpoint] },
            MaxClockCorrection = TimeSpan.FromHours(1),
        });

        if (isCorrected)
        {
            await client.LogOnAsync(TestContext.Current.CancellationToken);
            return;
        }
        var error = await Should.ThrowAsync<KerberosException>(async () => await client.LogOnAsync(TestContext.Current.CancellationToken));
        error.Code.ShouldBe(KerberosErrorCode.Skew);
        error.Detail.ShouldContain("exceeds the maximum correction of 01:00:00");
    }

    private static void ShouldBeRejected(Action check)
    {
        var error = Should.Throw<KerberosException>(check);
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
        error.Code.ShouldBeNull();
    }

    private AsOutcome Check(
        string realm, string service, string instance, string? clientRealm = null, KdcMessageType type = KdcMessageType.AsReply,
        KerberosKey? replyKey = null)
    {
        var exchange = new AsExchange(_context, LogOnTarget.TicketGranting(_context.Realm), Types, _key, TimeSpan.Zero);
        var body = KdcRequestBody.Decode(KdcRequestMessage.Decode(exchange.Message).EncodedBody);
        var name = new PrincipalName((int)PrincipalNameType.ServiceInstance, [service, instance]);
        using var sessionKey = KerberosKey.CreateRandom(Types[0]);
        var part = new EncKdcReplyPart
        {
            Key = sessionKey,
            Nonce = body.Nonce,
            Flags = 0,
            AuthTime = _time.GetUtcNow(),
            EndTime = _time.GetUtcNow().AddHours(1),
            ServiceRealm = realm,
            Service = name,
        };
        var encryptedTicket = EncryptedData.Encrypt(sessionKey, KeyUsage.Ticket, new byte[32]);
        var reply = new KdcReplyMessage(
            type,
            [],
            clientRealm ?? realm,
            new PrincipalName((int)PrincipalNameType.Principal, ["gw"]),
            Ticket.Create(realm, name, encryptedTicket),
            EncryptedData.Encrypt(replyKey ?? _key.Key, KeyUsage.AsReply, part.Encode(type)));
        return exchange.Check(reply.Encode());
    }

    private PaEncTimestamp ReadTimestamp(AsExchange exchange)
    {
        var value = KdcRequestMessage.Decode(exchange.Message).PaData.Find(PaDataType.EncryptedTimestamp)!.Value;
        return PaEncTimestamp.Decode(EncryptedData.Decode(value).Decrypt(_key.Key, KeyUsage.EncryptedTimestamp));
    }
}
