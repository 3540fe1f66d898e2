using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.TicketCache;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Rules about referrals, configured names and replies that a KDC may choose freely.</summary>
public sealed class ReplyRuleTests
{
    private static readonly ServicePrincipalName App = ServicePrincipalName.Parse("HTTP/app");
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "CONTOSO.TEST");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_chain_of_referrals_has_ten_hops_at_most()
    {
        var path = new ReferralPath("R0.TEST");
        for (var hop = 1; hop <= 10; hop++)
            path.Add($"R{hop}.TEST");
        Should.Throw<KerberosException>(() => path.Add("R11.TEST")).Detail.ShouldContain("more than 10 hops");
    }

    [Fact]
    public void A_chain_of_referrals_visits_no_realm_twice()
    {
        var path = new ReferralPath("A.TEST");
        path.Add("B.TEST");
        Should.Throw<KerberosException>(() => path.Add("a.test")).Detail.ShouldBe("the referrals form a loop: A.TEST, B.TEST, a.test");
    }

    [Theory]
    [InlineData("B.TEST", "A.TEST", true)]
    [InlineData("B.TEST", "C.TEST", false)] // a ticket of a realm that was not asked
    [InlineData("A.TEST", "A.TEST", false)] // the asked realm itself
    [InlineData("", "A.TEST", false)]
    public void A_referral_is_a_ticket_of_the_asked_realm_for_another_realm(string next, string issuer, bool isReferral)
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var reply = Reply(PrincipalName.TicketGranting(next), issuer, key);
        if (isReferral)
            ReferralPath.RequireReferral(reply, "A.TEST").ShouldBe(next);
        else
            Should.Throw<KerberosException>(() => ReferralPath.RequireReferral(reply, "A.TEST")).Reason.ShouldBe(
                KerberosFailureReason.ReplyRejected);
    }

    [Theory]
    [InlineData("AD22.TEST", null)]
    [InlineData("ad22.test", null)]
    [InlineData("AD22", KerberosFailureReason.NameMismatch)]
    public void A_log_on_reply_of_another_realm_than_the_configured_one_names_the_right_one(
        string configured, KerberosFailureReason? reason)
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var reply = Reply(PrincipalName.TicketGranting("AD22.TEST"), "AD22.TEST", key);
        void Check() => ReplyChecks.CheckTicketGrantingTicket(reply.Message with { ClientRealm = "AD22.TEST" }, reply.Part, configured);
        if (reason is null)
        {
            Check();
            return;
        }
        var error = Should.Throw<KerberosException>(Check);
        error.Reason.ShouldBe(reason.Value);
        error.Detail.ShouldContain("set Realm to AD22.TEST");
    }

    [Fact]
    public async Task Realms_of_services_are_compared_without_case()
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        (await client.GetTicketAsync(Ada, ServicePrincipalName.Parse("HTTP/app@contoso.test"), Stop)).User.ShouldBe(Ada);
    }

    [Fact]
    public async Task A_service_with_a_NetBIOS_realm_is_refused_with_the_right_name_and_no_KDC_is_marked_as_failed()
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(Ada, ServicePrincipalName.Parse("HTTP/app@CONTOSO"), Stop));
        error.Reason.ShouldBe(KerberosFailureReason.NameMismatch);
        error.Detail.ShouldContain("@CONTOSO.TEST");
        error.Detail.ShouldNotContain("no KDC");
    }

    /// <summary>Active Directory answers a request for krbtgt/NETBIOS with its own ticket-granting service.</summary>
    [Fact]
    public async Task A_user_realm_that_is_another_name_of_the_own_realm_is_refused_with_the_right_name()
    {
        await using var other = TestRealm.Start("EU.TEST").User("ada");
        await using var realm = Start().Trusts(other);
        await using var client = realm.CreateClient("gw");
        realm.Fail(KdcFault.WrongService("krbtgt/CONTOSO.TEST"), KerberosExchange.Referral);
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(KerberosPrincipal.Principal("ada", "EU.TEST"), App, Stop));
        error.Reason.ShouldBe(KerberosFailureReason.NameMismatch);
        error.Detail.ShouldBe("'EU.TEST' is another name of the realm CONTOSO.TEST; configure CONTOSO.TEST");
    }

    [Fact]
    public async Task A_refusal_for_a_user_realm_in_other_case_names_the_realm_of_the_KDC()
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        realm.Fail(KdcFault.Error(KerberosErrorCode.ClientPrincipalUnknown), KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(KerberosPrincipal.Principal("ada", "contoso.test"), App, Stop));
        error.Code.ShouldBe(KerberosErrorCode.ClientPrincipalUnknown);
        error.Detail.ShouldContain("set it to CONTOSO.TEST");
    }

    [Fact]
    public void A_reply_without_the_bit_of_resource_based_delegation_is_rejected_whatever_other_bits_it_has()
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        TgsReply WithOptions(uint options)
        {
            var reply = Reply(PrincipalName.TicketGranting("B.TEST"), "A.TEST", key);
            return reply with { Part = reply.Part with { EncryptedPaData = [PaPacOptions.Create(options)] } };
        }
        ReferralPath.RequireResourceBasedDelegation(WithOptions(PaPacOptions.ResourceBasedDelegation));
        Should.Throw<KerberosException>(() => ReferralPath.RequireResourceBasedDelegation(WithOptions(PaPacOptions.Claims)))
            .Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
    }

    [Theory]
    [InlineData("A.TEST", true)]
    [InlineData("EVIL.TEST", false)]
    public void A_ticket_outside_the_encryption_is_of_the_realm_inside(string ticketRealm, bool isAccepted)
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var reply = Reply(new PrincipalName(2, ["HTTP", "app"]), "A.TEST", key);
        var request = new KdcRequestBody
        {
            Options = default, Realm = "A.TEST", Service = reply.Part.Service, Till = DateTimeOffset.UnixEpoch.AddHours(1), Nonce = 1,
            EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1],
        };
        var message = reply.Message with { Ticket = reply.Message.Ticket with { Realm = ticketRealm } };
        if (isAccepted)
            ReplyChecks.CheckPart(reply.Part, message, request, DateTimeOffset.UnixEpoch);
        else
            Should.Throw<KerberosException>(() => ReplyChecks.CheckPart(reply.Part, message, request, DateTimeOffset.UnixEpoch))
                .Detail.ShouldContain("but its ticket is for");
    }

    [Fact]
    public void A_later_referral_does_not_change_the_user()
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var reply = Reply(PrincipalName.TicketGranting("B.TEST"), "A.TEST", key);
        var user = new S4UUser(new PrincipalName(1, ["ada"]), "EU.TEST", null).AsSignedIn(reply);
        var other = S4UUserId.Create(1, new PrincipalName(1, ["Ada"]), "EU.TEST", S4UUserId.UseReplyKeyUsage);
        var signed = PaS4UX509User.Create(other, key, KeyUsage.PaS4UX509UserReply).ToPaData();
        var later = reply with { Message = reply.Message with { PaData = [signed] } };
        Should.Throw<KerberosException>(() => user.AsSignedIn(later)).Detail.ShouldBe(
            "a referral changed the user ada@EU.TEST to Ada@EU.TEST");
    }

    [Theory]
    [InlineData("gw", "A.TEST", true)]
    [InlineData("gw", "EVIL.TEST", false)]
    [InlineData("eve", "A.TEST", false)]
    public void A_referral_names_the_account_in_its_realm(string client, string clientRealm, bool isAccepted)
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var reply = Reply(PrincipalName.TicketGranting("B.TEST"), "A.TEST", key);
        var own = reply.ToTicket();
        var referral = reply with { Message = reply.Message with { Client = new PrincipalName(1, [client]), ClientRealm = clientRealm } };
        if (isAccepted)
            ReferralPath.RequireClient(referral, own);
        else
            Should.Throw<KerberosException>(() => ReferralPath.RequireClient(referral, own)).Reason.ShouldBe(
                KerberosFailureReason.ReplyRejected);
    }

    [Fact]
    public async Task A_ticket_of_the_account_itself_instead_of_evidence_is_named_as_such()
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        realm.Fail(KdcFault.OrdinaryTicket, KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(Ada, App, Stop));
        error.Detail.ShouldContain("an ordinary ticket of the account gw itself: it ignored the user");
    }

    [Theory]
    [InlineData(KerberosExchange.S4U2Self)]
    [InlineData(KerberosExchange.S4U2Proxy)]
    public async Task A_TGS_reply_under_the_session_key_is_accepted(KerberosExchange exchange)
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        realm.Fail(KdcFault.SessionKeyReply, exchange);
        (await client.GetTicketAsync(Ada, App, Stop)).User.ShouldBe(Ada);
        realm.Transcript.ShouldContain(line => line.EndsWith("[reply under the session key]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task TGS_requests_of_one_moment_have_different_timestamps()
    {
        await using var realm = Start();
        var tgt = realm.IssueTicket("ada", "HTTP/app").Issued;
        var clock = new KdcClock(new ManualClock());
        var query = new PlainQuery(tgt);
        var times = Enumerable.Range(0, 100).Select(_ =>
        {
            var exchange = new TgsExchange<IssuedTicket>(query, [EncryptionType.Aes256CtsHmacSha1], clock);
            var request = ApRequest.Decode(KdcRequestMessage.Decode(exchange.Message).PaData.Find(PaDataType.TgsRequest)!.Value);
            var authenticator = Authenticator.Decode(request.Authenticator.Decrypt(tgt.SessionKey, KeyUsage.TgsRequestAuthenticator));
            return (authenticator.Time, authenticator.Microseconds);
        });
        times.Distinct().Count().ShouldBe(100);
    }

    [Fact]
    public async Task A_refused_log_on_names_the_realm_of_the_keytab_when_the_configured_one_differs_in_case()
    {
        await using var realm = Start();
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var keytab = Path.Combine(directory.FullName, "gw.keytab");
            await realm.WriteKeytabAsync("gw", keytab, Stop);
            using var account = ServiceAccount.FromKeytab("gw", keytab);
            await using var client = new S4UClient(new S4UClientOptions
            {
                Realm = "contoso.test", Account = account, Kdcs = { [realm.Name] = [realm.Endpoint] },
            });
            realm.Fail(KdcFault.Error(KerberosErrorCode.WrongRealm), KerberosExchange.LogOn);
            var error = await Should.ThrowAsync<KerberosException>(async () => await client.LogOnAsync(Stop));
            error.Detail.ShouldContain("set Realm to CONTOSO.TEST");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_rejected_key_is_not_sent_again()
    {
        await using var realm = Start();
        using var account = ServiceAccount.FromPassword("gw", "wrong");
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name, Account = account, Kdcs = { [realm.Name] = [realm.Endpoint] },
        });
        for (var attempt = 0; attempt < 3; attempt++)
            (await Should.ThrowAsync<KerberosException>(async () => await client.LogOnAsync(Stop))).Code.ShouldBe(
                KerberosErrorCode.PreAuthenticationFailed);
        realm.Transcript.ShouldBe(["AS gw KDC_ERR_PREAUTH_FAILED"]);
    }

    [Fact]
    public async Task The_ticket_of_a_service_with_a_port_is_not_the_ticket_of_the_service_without_one()
    {
        await using var realm = Start();
        await using var client = realm.CreateClient("gw");
        await client.GetTicketAsync(Ada, App, Stop);
        var withPort = ServicePrincipalName.Parse("HTTP/app:8080");
        (withPort == App).ShouldBeFalse();
        (await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(Ada, withPort, Stop))).Code.ShouldNotBeNull();
        realm.Transcript.ShouldContain(
            line => line.StartsWith("PROXY ?>HTTP/app:8080", StringComparison.Ordinal)
            || line.StartsWith("PROXY ada>HTTP/app:8080", StringComparison.Ordinal));
    }

    private static TestRealm Start() => TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");

    private static TgsReply Reply(PrincipalName service, string issuer, KerberosKey key)
    {
        var now = DateTimeOffset.UnixEpoch;
        var part = new EncKdcReplyPart
        {
            Key = key, Nonce = 1, Flags = 0, AuthTime = now, EndTime = now.AddHours(1), ServiceRealm = issuer, Service = service,
        };
        var encrypted = EncryptedData.Encrypt(key, KeyUsage.Ticket, [1]);
        var message = new KdcReplyMessage(
            KdcMessageType.TgsReply, [], "A.TEST", new PrincipalName(1, ["gw"]), Ticket.Create(issuer, service, encrypted), encrypted);
        return new TgsReply(message, part, new TgsRequestKeys(key, key, 1));
    }

    private sealed class PlainQuery(IssuedTicket tgt)
        : TgsQuery<IssuedTicket>(tgt, PrincipalName.TicketGranting("A.TEST"), KdcOptionFlags.Canonicalize)
    {
        public override IssuedTicket Accept(TgsReply reply) => reply.ToTicket();
    }
}
