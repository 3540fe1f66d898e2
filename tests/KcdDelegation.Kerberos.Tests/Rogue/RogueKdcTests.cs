using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Rogue;

/// <summary>Rogue replies of a KDC or an attacker lead to no ticket and to no cached state. After the fault,
/// the next request makes the same exchange again, and only that one and those behind it.</summary>
public sealed class RogueKdcTests
{
    private static readonly ServicePrincipalName App = ServicePrincipalName.Parse("HTTP/app");
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "CONTOSO.TEST");

    private static readonly Dictionary<string, KdcFault> Faults = new(StringComparer.Ordinal)
    {
        ["the account's own ticket"] = KdcFault.OrdinaryTicket,
        ["a ticket of another user"] = KdcFault.TicketOfAnotherUser("eve"),
        ["a ticket of another user, unsigned"] = KdcFault.TicketOfAnotherUser("eve").And(KdcFault.NoSignedUser),
        ["another user's name next to the ticket"] = KdcFault.NameOfAnotherUser("eve"),
        ["another user's name next to the ticket, unsigned"] = KdcFault.NameOfAnotherUser("eve").And(KdcFault.NoSignedUser),
        ["another user's ticket in the reply"] = KdcFault.SwappedTicket("eve"),
        ["another user's ticket in the reply, unsigned"] = KdcFault.SwappedTicket("eve").And(KdcFault.NoSignedUser),
        ["a forged signature over the user"] = KdcFault.ForgedSignedUser,
        ["another session key in the ticket"] = KdcFault.WrongSessionKey,
        ["a ticket that is not forwardable as the reply says"] = KdcFault.FalselyForwardable,
        ["another nonce"] = KdcFault.WrongNonce,
        ["another service"] = KdcFault.WrongService("HTTP/other"),
        ["the service of another realm"] = KdcFault.WrongService("krbtgt/EVIL.TEST"),
        ["another service's ticket in the reply"] = KdcFault.TicketForAnotherService("HTTP/other"),
        ["another key"] = KdcFault.WrongReplyKey,
        ["a session key of a type that was not offered"] = KdcFault.UnofferedEncryptionType,
        ["an end in the past"] = KdcFault.Expired,
        ["a start in the future"] = KdcFault.NotYetValid,
        ["a life of ten years"] = KdcFault.TooLongLived,
        ["garbage"] = KdcFault.Garbage,
        ["no byte"] = KdcFault.Truncate(0),
    };

    /// <summary>What only the service can notice: the ticket is opaque to the client (RFC 4120 §3.3.4), except its own evidence.</summary>
    private static readonly string[] ForTheServiceToNotice =
        ["another user's ticket in the reply", "another user's ticket in the reply, unsigned", "another session key in the ticket",
            "a ticket that is not forwardable as the reply says"];

    /// <summary>What is about the user of an S4U2Self exchange.</summary>
    private static readonly string[] OfSignedUser = ["a forged signature over the user"];

    /// <summary>A reply to the account's log-on is about no user.</summary>
    private static readonly string[] OfAnyUser =
        [.. Faults.Keys.Where(name => name.Contains("user", StringComparison.Ordinal)), "the account's own ticket"];

    public static TheoryData<string> AtS4U2Self => [.. Faults.Keys];

    public static TheoryData<string> AtS4U2Proxy => [.. Faults.Keys.Except(ForTheServiceToNotice).Except(OfSignedUser)];

    public static TheoryData<string> AtLogOn => [.. Faults.Keys.Except(ForTheServiceToNotice).Except(OfAnyUser)];

    private static TestRealm Start(KdcKind kind = KdcKind.Windows) =>
        TestRealm.Start(kind: kind).User("ada").User("eve").Account("gw", mayDelegateTo: ["HTTP/app", "HTTP/other"]).Service("HTTP/app")
            .Service("HTTP/other");

    private static S4UClient CreateClient(TestRealm realm, params KdcEndpoint[] kdcs) => new(new S4UClientOptions
    {
        Realm = realm.Name,
        Account = realm.CreateServiceAccount("gw"),
        EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1], // so that there are types that were not offered
        Kdcs = { [realm.Name] = kdcs.Length > 0 ? kdcs : [realm.Endpoint] },
    });

    [Theory]
    [MemberData(nameof(AtS4U2Self))]
    public Task Evidence_in_a_rogue_reply_is_rejected_and_requested_again(string lie) =>
        RefusesAsync(lie, KerberosExchange.S4U2Self, ["SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);

    [Theory]
    [MemberData(nameof(AtS4U2Proxy))]
    public Task A_service_ticket_in_a_rogue_reply_is_rejected_and_requested_again(string lie) =>
        RefusesAsync(lie, KerberosExchange.S4U2Proxy, ["PROXY ada>HTTP/app ok"]);

    [Theory]
    [MemberData(nameof(AtLogOn))]
    public Task A_log_on_with_a_rogue_reply_is_rejected_and_repeated(string lie) =>
        RefusesAsync(lie, KerberosExchange.LogOn, ["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);

    private static async Task RefusesAsync(string lie, KerberosExchange exchange, string[] again)
    {
        await using var realm = Start();
        await using var client = CreateClient(realm);
        realm.Fail(Faults[lie], exchange, times: int.MaxValue);
        var error = await Should.ThrowAsync<KerberosException>(
            async () => await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken));
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected, error.Message);
        error.Code.ShouldBeNull();

        realm.Heal().ClearTranscript();
        var ticket = await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken);
        realm.Transcript.ShouldBe(again);
        ShouldBeAdas(realm, ticket);
    }

    [Theory]
    [InlineData("another user's ticket in the reply")]
    [InlineData("a ticket of another user")]
    [InlineData("another user's name next to the ticket")]
    [InlineData("the account's own ticket")]
    public async Task A_rogue_reply_without_a_signed_user_is_rejected_by_opening_the_ticket(string lie)
    {
        await using var realm = Start(KdcKind.Heimdal);
        await using var client = CreateClient(realm);
        realm.Fail(Faults[lie], KerberosExchange.S4U2Self);
        (await Should.ThrowAsync<KerberosException>(
            async () => await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken))).Reason.ShouldBe(
            KerberosFailureReason.ReplyRejected);
        ShouldBeAdas(realm, await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_swapped_service_ticket_is_rejected_by_its_service()
    {
        await using var realm = Start();
        await using var client = CreateClient(realm);
        realm.Fail(KdcFault.SwappedTicket("eve"), KerberosExchange.S4U2Proxy);
        var swapped = await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken);
        Should.Throw<KerberosException>(() => new TestAcceptor(realm, "HTTP/app").Accept(Header(swapped)));
    }

    [Fact]
    public async Task After_a_rogue_reply_the_next_KDC_is_asked()
    {
        await using var realm = Start();
        await using var client = CreateClient(realm, realm.Endpoint, realm.UdpEndpoint);
        realm.Fail(KdcFault.WrongNonce, KerberosExchange.S4U2Self);
        ShouldBeAdas(realm, await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken));
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok [wrong nonce]", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task A_log_on_reply_with_a_forged_client_name_does_no_lasting_harm()
    {
        // RFC 6806 §7: with canonicalize the KDC may return another name of the account, which is not authenticated.
        await using var realm = Start();
        await using var client = CreateClient(realm);
        realm.Fail(KdcFault.NameOfAnotherUser("eve"), KerberosExchange.LogOn);
        ShouldBeAdas(realm, await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken));
        realm.Transcript.ShouldBe(
            ["AS gw ok [name of eve]", "TGS ?>eve KRB_AP_ERR_BADMATCH", "AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Theory]
    [InlineData(120)]
    [InlineData(-120)]
    [InlineData(30)] // within the limit: a reply would have to agree
    public async Task A_forged_clock_does_not_change_the_offset(int minutes)
    {
        await using var realm = Start();
        await using var client = CreateClient(realm);
        realm.Fail(KdcFault.ForgedClock(TimeSpan.FromMinutes(minutes)), KerberosExchange.LogOn);
        (await Should.ThrowAsync<KerberosException>(
            async () => await client.LogOnAsync(TestContext.Current.CancellationToken))).Code.ShouldBe(KerberosErrorCode.Skew);
        client.PurgeAll(); // a refusal is remembered
        realm.ClearTranscript();
        ShouldBeAdas(realm, await client.GetTicketAsync(Ada, App, TestContext.Current.CancellationToken));
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task The_account_follows_no_referral_to_another_realm()
    {
        await using var evil = TestRealm.Start("EVIL.TEST").Account("gw");
        await using var realm = Start();
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name, Account = realm.CreateServiceAccount("gw"),
                Kdcs = { [realm.Name] = [realm.Endpoint], [evil.Name] = [evil.Endpoint] },
        });
        realm.Fail(KdcFault.ForgedReferral("EVIL.TEST"), KerberosExchange.LogOn);
        (await Should.ThrowAsync<KerberosException>(
            async () => await client.LogOnAsync(TestContext.Current.CancellationToken))).Code.ShouldBe(KerberosErrorCode.WrongRealm);
        evil.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_forged_referral_of_a_user_to_another_realm_leads_to_no_ticket()
    {
        // RFC 6806 §6 referrals are not authenticated, but a realm is reached over trusts, and the own KDC has none.
        await using var evil = TestRealm.Start("EVIL.TEST").User("ada", userPrincipalName: "ada@contoso.test");
        await using var realm = Start();
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name, Account = realm.CreateServiceAccount("gw"),
                Kdcs = { [realm.Name] = [realm.Endpoint], [evil.Name] = [evil.Endpoint] },
        });
        realm.Fail(KdcFault.ForgedReferral("EVIL.TEST"), KerberosExchange.RealmDiscovery);
        var user = KerberosPrincipal.Enterprise("ada@contoso.test");
        (await Should.ThrowAsync<KerberosException>(
            async () => await client.GetTicketAsync(user, App, TestContext.Current.CancellationToken))).Exchange.ShouldBe(
            KerberosExchange.Referral);
        realm.Transcript[^1].ShouldBe("TGS gw>krbtgt/EVIL.TEST KDC_ERR_S_PRINCIPAL_UNKNOWN");
        evil.Transcript.ShouldBe(["FIND ada@contoso.test ok"]);
    }

    private static void ShouldBeAdas(TestRealm realm, ServiceTicket ticket)
    {
        ticket.User.ShouldBe(Ada);
        new TestAcceptor(realm, "HTTP/app").Accept(Header(ticket)).User.ShouldBe(Ada);
    }

    private static string Header(ServiceTicket ticket)
    {
        var template = ticket.CreateApRequest();
        var tail = new byte[template.TailLength];
        template.WriteTail(tail);
        return "Negotiate " + Convert.ToBase64String([.. template.Prefix.Span, .. tail]);
    }
}
