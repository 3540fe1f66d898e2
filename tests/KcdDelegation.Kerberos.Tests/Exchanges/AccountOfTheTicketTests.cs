using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Active Directory echoes the requested name, so only the PAC says which account it found.</summary>
public sealed class AccountOfTheTicketTests
{
    private const string AdasSid = "S-1-5-21-1-2-3-1103";

    [Fact]
    public async Task A_ticket_of_the_account_with_the_right_SID_is_accepted_and_has_the_SID()
    {
        await using var realm = Realm();
        var ticket = await GetAsync(
            realm, KerberosPrincipal.Enterprise("ada.lovelace@contoso.test", realm.Name) with { SecurityIdentifier = AdasSid });
        ticket.SecurityIdentifier.ShouldBe(AdasSid);
    }

    [Fact]
    public async Task A_ticket_of_an_account_with_another_SID_is_refused()
    {
        await using var realm = Realm();
        var error = await Should.ThrowAsync<KerberosException>(
            () => GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name) with { SecurityIdentifier = "S-1-5-21-1-2-3-9999" }));
        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch);
        error.Exchange.ShouldBe(KerberosExchange.S4U2Self);
        error.IsTransient.ShouldBeFalse();
        realm.Transcript.ShouldNotContain(line => line.StartsWith("PROXY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_user_refused_with_a_wrong_SID_is_served_with_the_right_one()
    {
        await using var realm = Realm();
        await using var client = realm.CreateClient("gw");
        var ada = KerberosPrincipal.Principal("ada", realm.Name);
        await Should.ThrowAsync<KerberosException>(
            async () => await client.GetTicketAsync(
            ada with { SecurityIdentifier = "S-1-5-21-1-2-3-9999" }, ServicePrincipalName.Parse("HTTP/web"),
            TestContext.Current.CancellationToken));
        (await client.GetTicketAsync(
            ada with { SecurityIdentifier = AdasSid }, ServicePrincipalName.Parse("HTTP/web"),
            TestContext.Current.CancellationToken)).SecurityIdentifier.ShouldBe(AdasSid);
    }

    [Fact]
    public async Task A_UPN_that_differs_from_the_SAM_name_leads_to_its_account()
    {
        await using var realm = Realm();
        (await GetAsync(realm, KerberosPrincipal.Enterprise("ada.lovelace@contoso.test", realm.Name))).SecurityIdentifier.ShouldBe(AdasSid);
    }

    /// <summary>A KDC that finds no such UPN looks for a SAM name equal to the part before the @ (MS-KILE §3.3.5.6.1).</summary>
    [Fact]
    public async Task A_UPN_with_a_foreign_suffix_never_leads_to_the_account_named_like_its_first_part()
    {
        // The name is echoed, so only the PAC shows that the KDC found the account ada.
        await using var realm = Realm().User("eve", "ada@evil.example");
        realm.Fail(KdcFault.HiddenUser("ada"), KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(
            () => GetAsync(realm, KerberosPrincipal.Enterprise("ada@evil.example", realm.Name)));
        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldBe(
            "the request was for ada@evil.example, but the KDC answered for the account ada, whose UPN is ada.lovelace@contoso.test");
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada@evil.example>gw ok [PAC of ada]"]);
    }

    [Fact]
    public async Task A_ticket_with_the_PAC_of_another_account_is_refused()
    {
        await using var realm = Realm().User("eve");
        realm.Fail(KdcFault.HiddenUser("eve"), KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(() => GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name)));
        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldBe("the request was for ada, but the KDC answered for the account eve");
    }

    [Fact]
    public async Task A_SID_is_required_of_a_ticket_without_a_PAC()
    {
        await using var realm = Realm();
        realm.Fail(KdcFault.NoPac, KerberosExchange.S4U2Self, times: 2);
        await GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name));
        var error = await Should.ThrowAsync<KerberosException>(
            () => GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name) with { SecurityIdentifier = AdasSid }));
        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldContain("no PAC with a SID");
    }

    [Fact]
    public async Task A_ticket_with_another_client_than_its_reply_is_rejected()
    {
        await using var realm = Realm();
        realm.Fail(KdcFault.OtherClientInTicket("eve"), KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(() => GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name)));
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected, error.Message);
        error.Detail.ShouldContain("its ticket names eve@CONTOSO.TEST");
    }

    [Fact]
    public async Task A_ticket_with_another_client_realm_than_its_reply_is_rejected()
    {
        await using var realm = Realm();
        realm.Fail(KdcFault.OtherRealmInTicket("EVIL.TEST"), KerberosExchange.S4U2Self);
        var error = await Should.ThrowAsync<KerberosException>(() => GetAsync(realm, KerberosPrincipal.Principal("ada", realm.Name)));
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected, error.Message);
        error.Detail.ShouldContain("its ticket names ada@EVIL.TEST");
    }

    private static TestRealm Realm() =>
        TestRealm.Start().User("ada", "ada.lovelace@contoso.test", AdasSid).Account("gw", ["HTTP/web"]).Service("HTTP/web");

    private static async Task<ServiceTicket> GetAsync(TestRealm realm, KerberosPrincipal user)
    {
        await using var client = realm.CreateClient("gw");
        return await client.GetTicketAsync(user, ServicePrincipalName.Parse("HTTP/web"), TestContext.Current.CancellationToken);
    }
}
