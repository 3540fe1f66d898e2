using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.TicketCache;
using KcdDelegation.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests.ApExchange;

/// <summary>Each check of a token that a client presents to the account (RFC 4120 §3.2.3).</summary>
public sealed class PresentedTokenTests : IAsyncDisposable
{
    private const string Realm = "CONTOSO.TEST";
    private const uint Invalid = 0x0100_0000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly PrincipalName Ada = new((int)PrincipalNameType.Principal, ["ada"]);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory();
    private readonly ManualClock _time = new();
    private readonly KerberosKey _sessionKey = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
    private readonly TestRealm _realm;

    public PresentedTokenTests() => _realm = TestRealm.Start(Realm, timeProvider: _time).User("ada").Account("gw");

    private DateTimeOffset Now => DateTimeOffset.FromUnixTimeSeconds(_time.GetUtcNow().ToUnixTimeSeconds());

    private EncTicketPart Ticket => new()
    {
        Flags = (uint)TicketFlags.Forwardable,
        Key = _sessionKey,
        ClientRealm = Realm,
        Client = Ada,
        AuthTime = Now - Minute,
        StartTime = Now - Minute,
        EndTime = Now + TimeSpan.FromHours(1),
    };

    private Authenticator Authenticator => new()
    {
        ClientRealm = Realm,
        Client = Ada,
        Checksum = new ChecksumField(ChecksumType.Gss, GssChecksum.Create(GssChecksum.Mutual, [])),
        Time = Now,
        Microseconds = 7,
    };

    public async ValueTask DisposeAsync()
    {
        await _realm.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_valid_token_is_accepted()
    {
        await using var gateway = await StartAsync();
        var accepted = await gateway.AcceptAsync(Ticket, Authenticator);
        (accepted.Principal, accepted.CanBeDelegated).ShouldBe((KerberosPrincipal.Principal("ada", Realm), true));
    }

    [Fact]
    public async Task A_ticket_of_another_realm_is_refused() =>
        await RefusesAsync(KerberosErrorCode.NotUs, Ticket, Authenticator, realm: "EVIL.TEST");

    [Fact]
    public async Task A_ticket_of_the_realm_is_accepted_when_the_realm_is_configured_in_lower_case()
    {
        await using var gateway = await StartAsync(Realm.ToLowerInvariant());
        (await gateway.AcceptAsync(Ticket, Authenticator)).Principal.Name.ShouldBe("ada");
    }

    [Fact]
    public async Task A_ticket_with_the_INVALID_flag_is_refused() =>
        await RefusesAsync(KerberosErrorCode.TicketNotYetValid, Ticket with { Flags = Invalid }, Authenticator);

    [Fact]
    public async Task A_ticket_that_starts_later_than_the_allowed_skew_is_refused()
    {
        await RefusesAsync(KerberosErrorCode.TicketNotYetValid, Ticket with { StartTime = Now + (6 * Minute) }, Authenticator);
        await using var gateway = await StartAsync();
        await gateway.AcceptAsync(Ticket with { StartTime = Now + (4 * Minute) }, Authenticator);
    }

    [Fact]
    public async Task A_ticket_that_has_ended_is_refused() =>
        await RefusesAsync(KerberosErrorCode.TicketExpired, Ticket with { EndTime = Now }, Authenticator);

    [Fact]
    public async Task An_authenticator_of_another_client_is_refused() =>
        await RefusesAsync(KerberosErrorCode.BadMatch, Ticket, Authenticator with { Client = new PrincipalName(1, ["eve"]) });

    [Fact]
    public async Task An_authenticator_of_another_client_realm_is_refused() =>
        await RefusesAsync(KerberosErrorCode.BadMatch, Ticket, Authenticator with { ClientRealm = "EVIL.TEST" });

    [Theory]
    [InlineData(6)]
    [InlineData(-6)]
    public async Task An_authenticator_beyond_the_allowed_skew_is_refused(int minutes) =>
        await RefusesAsync(KerberosErrorCode.Skew, Ticket, Authenticator with { Time = Now + (minutes * Minute) });

    [Fact]
    public async Task An_authenticator_without_a_checksum_is_refused() =>
        await RefusesAsync(KerberosErrorCode.InappropriateChecksum, Ticket, Authenticator with { Checksum = null });

    [Fact]
    public async Task An_authenticator_with_a_checksum_of_another_type_is_refused()
    {
        var checksum = new ChecksumField(ChecksumType.HmacSha1Aes256, GssChecksum.Create(GssChecksum.Mutual, []));
        await RefusesAsync(KerberosErrorCode.InappropriateChecksum, Ticket, Authenticator with { Checksum = checksum });
    }

    [Fact]
    public async Task An_authenticator_with_a_truncated_GSS_checksum_is_refused()
    {
        var checksum = new ChecksumField(ChecksumType.Gss, new byte[GssChecksum.Length - 1]);
        await RefusesAsync(KerberosErrorCode.InappropriateChecksum, Ticket, Authenticator with { Checksum = checksum });
    }

    [Theory]
    [InlineData(GssKerberosToken.ApReplyToken)]
    [InlineData(GssKerberosToken.ErrorToken)]
    public async Task An_AP_REQ_under_the_type_of_another_token_is_refused(ushort type)
    {
        await using var gateway = await StartAsync();
        var (_, request) = GssKerberosToken.Unwrap(gateway.CreateToken(Ticket, Authenticator));
        var token = GssKerberosToken.Wrap(type, request.Span);
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await gateway.Client.AcceptAsync(token, TestContext.Current.CancellationToken));
        (error.Reason, error.Exchange).ShouldBe((KerberosFailureReason.TokenRejected, KerberosExchange.Accept));
    }

    [Fact]
    public async Task A_ticket_under_another_key_is_refused()
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        await using var gateway = await StartAsync();
        var error = await Should.ThrowAsync<KerberosException>(() => gateway.AcceptAsync(Ticket, Authenticator, key: key));
        error.Reason.ShouldBe(KerberosFailureReason.TokenRejected);
    }

    [Fact]
    public async Task A_token_is_a_replay_for_as_long_as_its_authenticator_is_within_the_skew()
    {
        await using var gateway = await StartAsync();
        var token = gateway.CreateToken(Ticket, Authenticator with { Time = Now + (5 * Minute) });
        await gateway.Client.AcceptAsync(token, TestContext.Current.CancellationToken);
        foreach (var wait in (TimeSpan[])[TimeSpan.Zero, 5 * Minute, (5 * Minute) - TimeSpan.FromSeconds(1)])
        {
            _time.Advance(wait);
            var error = await Should.ThrowAsync<KerberosException>(async () =>
                await gateway.Client.AcceptAsync(token, TestContext.Current.CancellationToken));
            error.Code.ShouldBe(KerberosErrorCode.Repeat);
        }
    }

    /// <summary>RFC 4120 §5.2.2 lets a name have any characters, but no principal of this library has control characters.</summary>
    [Theory]
    [InlineData("a\u0000da")]
    [InlineData("ada\r\nx")]
    [InlineData("")]
    public async Task A_client_name_that_no_principal_may_have_is_refused(string name)
    {
        var client = new PrincipalName((int)PrincipalNameType.Principal, [name]);
        await using var gateway = await StartAsync();
        var error = await Should.ThrowAsync<KerberosException>(() =>
            gateway.AcceptAsync(Ticket with { Client = client }, Authenticator with { Client = client }));
        error.Reason.ShouldBe(KerberosFailureReason.TokenRejected);
    }

    private async Task RefusesAsync(KerberosErrorCode code, EncTicketPart ticket, Authenticator authenticator, string realm = Realm)
    {
        await using var gateway = await StartAsync();
        var error = await Should.ThrowAsync<KerberosException>(() => gateway.AcceptAsync(ticket, authenticator, realm));
        error.Code.ShouldBe(code, error.Message);
        (error.Reason, error.Exchange).ShouldBe((KerberosFailureReason.TokenRejected, KerberosExchange.Accept));
    }

    private async Task<Gateway> StartAsync(string realm = Realm)
    {
        var keytab = Path.Combine(_directory.FullName, "gw.keytab");
        await _realm.WriteKeytabAsync("gw", keytab, TestContext.Current.CancellationToken);
        var account = ServiceAccount.FromKeytab("gw", keytab);
        var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm, Account = account, Kdcs = { [Realm] = [_realm.Endpoint] }, TimeProvider = _time,
        });
        return new Gateway(client, account);
    }

    private sealed class Gateway(S4UClient client, ServiceAccount account) : IAsyncDisposable
    {
        public S4UClient Client => client;

        public byte[] CreateToken(EncTicketPart part, Authenticator authenticator, string realm = Realm, KerberosKey? key = null)
        {
            key ??= account.Keys.GetTicketKeys(Realm, EncryptionType.Aes256CtsHmacSha1, null, NullLogger.Instance)[0];
            var encrypted = EncryptedData.Encrypt(key, KeyUsage.Ticket, part.Encode(), keyVersion: 2);
            var ticket = KcdDelegation.Kerberos.Messages.Ticket.Create(realm, new PrincipalName(2, ["HTTP", "gw"]), encrypted);
            var request = new ApRequest(
                ApRequest.MutualRequired, ticket, EncryptedData.Encrypt(part.Key, KeyUsage.ApRequestAuthenticator, authenticator.Encode()));
            return GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request.Encode());
        }

        public async Task<AcceptedUser> AcceptAsync(
            EncTicketPart part, Authenticator authenticator, string realm = Realm, KerberosKey? key = null) =>
            await client.AcceptAsync(CreateToken(part, authenticator, realm, key), TestContext.Current.CancellationToken);

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            account.Dispose();
        }
    }
}
