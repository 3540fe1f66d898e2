using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Testing.Tests;

public sealed class TrustTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_of_a_trusted_realm_is_found_there_and_delegated_at_home()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("ada");
        await using var realm = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(europe);
        var ticket = await realm.GetTicketAsync("gw", "ada@eu.test", "HTTP/app", Stop);
        ticket.User.ToString().ShouldBe("ada@eu.test@EU.TEST");
        realm.Transcript.ShouldBe([
            "AS gw ok", "FIND ada@eu.test referral EU.TEST", "TGS gw>krbtgt/EU.TEST ok", "SELF ada@eu.test>gw ok",
                "PROXY ada@eu.test>HTTP/app ok",
        ]);
        europe.Transcript.ShouldBe(["FIND ada@eu.test ok", "SELF ada@eu.test>gw referral CONTOSO.TEST"]);
        new TestAcceptor(realm, "HTTP/app").Accept(TokenMaker.Header(TokenMaker.CreateToken(ticket))).SamAccountName.ShouldBe("ada");
    }

    [Fact]
    public async Task MIT_answers_with_the_canonical_name_of_the_user()
    {
        await using var europe = TestRealm.Start("EU.TEST", KdcKind.Mit).User("ada");
        await using var realm = TestRealm.Start(kind: KdcKind.Mit).Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app")
            .Trusts(europe);
        (await realm.GetTicketAsync("gw", "ada@eu.test", "HTTP/app", Stop)).User.ToString().ShouldBe("ada@EU.TEST");
    }

    [Fact]
    public async Task A_service_of_a_trusted_realm_is_reached_by_its_own_list()
    {
        await using var europe = TestRealm.Start("EU.TEST").Service("HTTP/app.eu.test", delegatedFrom: ["gw@CONTOSO.TEST"]);
        await using var realm = TestRealm.Start().User("ada").Account("gw").Trusts(europe);
        var ticket = await realm.GetTicketAsync("gw", "ada", "HTTP/app.eu.test", Stop);
        ticket.User.ToString().ShouldBe("ada@CONTOSO.TEST");
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app.eu.test referral EU.TEST",
            "TGS gw>HTTP/app.eu.test referral EU.TEST"]);
        europe.Transcript.ShouldBe(["TGS gw>HTTP/app.eu.test ok", "PROXY ada>HTTP/app.eu.test ok"]);
        new TestAcceptor(europe, "HTTP/app.eu.test").Accept(TokenMaker.Header(TokenMaker.CreateToken(ticket))).User.ToString()
            .ShouldBe("ada@CONTOSO.TEST");
    }

    [Fact]
    public async Task A_service_of_a_trusted_realm_that_does_not_list_the_account_is_refused_there()
    {
        await using var europe = TestRealm.Start("EU.TEST").Service("HTTP/app.eu.test", delegatedFrom: ["gw@OTHER.TEST", "gw"]);
        await using var realm = TestRealm.Start().User("ada").Account("gw").Trusts(europe);
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await realm.GetTicketAsync("gw", "ada", "HTTP/app.eu.test", Stop));
        error.Code.ShouldBe(KerberosErrorCode.BadOption);
        error.Realm.ShouldBe("EU.TEST");
        europe.Transcript[^1].ShouldBe("PROXY ada>HTTP/app.eu.test KDC_ERR_BADOPTION");
    }

    [Fact]
    public async Task A_user_of_one_realm_reaches_a_service_of_another_through_a_third()
    {
        await using var users = TestRealm.Start("USERS.TEST").User("ada");
        await using var root = TestRealm.Start("ROOT.TEST").Trusts(users);
        await using var apps = TestRealm.Start("APPS.TEST").Service("HTTP/app", delegatedFrom: ["gw@GW.TEST"]).Trusts(root);
        await using var realm = TestRealm.Start("GW.TEST").Account("gw").Trusts(root);
        var ticket = await realm.GetTicketAsync("gw", "ada@users.test", "HTTP/app", Stop);
        ticket.User.ToString().ShouldBe("ada@users.test@USERS.TEST");
        root.Transcript.ShouldBe([
            "TGS gw>krbtgt/USERS.TEST ok", "SELF ada@users.test>gw referral GW.TEST", "TGS gw>HTTP/app referral APPS.TEST",
                "TGS gw>krbtgt/APPS.TEST ok",
        ]);
        new TestAcceptor(apps, "HTTP/app").Accept(TokenMaker.Header(TokenMaker.CreateToken(ticket))).SamAccountName.ShouldBe("ada");
    }

    [Fact]
    public async Task A_sensitive_user_stays_sensitive_across_the_trust()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("eve", sensitive: true);
        await using var realm = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(europe);
        var error = await Should.ThrowAsync<KerberosException>(async () =>
            await realm.GetTicketAsync("gw", "eve@eu.test", "HTTP/app", Stop));
        error.Reason.ShouldBe(KerberosFailureReason.EvidenceNotForwardable);
    }

    [Fact]
    public async Task Heimdal_does_not_do_S4U2Self_for_users_of_other_realms()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("ada");
        await using var realm = TestRealm.Start(kind: KdcKind.Heimdal).Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app")
            .Trusts(europe);
        (await Should.ThrowAsync<KerberosException>(async () => await realm.GetTicketAsync("gw", "ada@eu.test", "HTTP/app",
            Stop))).Exchange.ShouldBe(KerberosExchange.S4U2Self);
    }

    [Fact]
    public async Task A_user_of_a_trusted_realm_who_logged_on_with_a_password_is_delegated_without_transition()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("ada");
        await using var realm = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"], anyProtocol: false).Service("HTTP/app")
            .Trusts(europe);
        await using var client = realm.CreateClient("gw");
        await client.LogOnAsync(Stop); // learns the salt of the password, whose key opens the token
        var user = await client.AcceptAsync(TokenMaker.CreateToken(realm.IssueTicket("ada@EU.TEST", "HTTP/gw")), Stop);
        (await client.GetTicketAsync(user, ServicePrincipalName.Parse("HTTP/app"), Stop)).User.ToString().ShouldBe("ada@EU.TEST");
        realm.Transcript.ShouldBe(["AS gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task A_KDC_refuses_S4U2Self_for_users_of_other_realms_with_its_own_TGT()
    {
        await using var europe = TestRealm.Start("EU.TEST").User("ada");
        await using var realm = TestRealm.Start().Account("gw", password: "correct horse").Trusts(europe);
        var client = new WireClient(realm, "gw", "correct horse");
        var tgt = await client.LogOnAsync();
        var body = client.TgsBody(new PrincipalName(1, ["gw"]));
        var user = S4UUserId.Create(body.Nonce, new PrincipalName(1, ["ada"]), "EU.TEST", S4UUserId.UseReplyKeyUsage);
        var signed = PaS4UX509User.Create(user, tgt.Part.Key, KeyUsage.PaS4UX509UserRequest).ToPaData();
        WireClient.ShouldBeError(await client.TgsAsync(tgt, body, more: signed), KerberosErrorCode.Policy);
    }

    [Fact]
    public async Task A_realm_cannot_trust_its_own_name()
    {
        await using var realm = TestRealm.Start();
        await using var twin = TestRealm.Start();
        Should.Throw<ArgumentException>(() => realm.Trusts(twin));
    }
}
