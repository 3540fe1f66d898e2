using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Rogue;

/// <summary>A rogue KDC of a trusted realm can speak for its own users only.</summary>
public sealed class RogueTrustTests
{
    private static readonly ServicePrincipalName Local = ServicePrincipalName.Parse("HTTP/app");
    private static readonly ServicePrincipalName Remote = ServicePrincipalName.Parse("HTTP/app.eu.test");
    private static readonly KerberosPrincipal Ada = KerberosPrincipal.Principal("ada", "EU.TEST");
    private static readonly KerberosPrincipal Bob = KerberosPrincipal.Principal("bob", "CONTOSO.TEST");

    private static TestRealm StartRemote() =>
        TestRealm.Start("EU.TEST").User("ada").User("eve").Service("HTTP/app.eu.test", delegatedFrom: ["gw@CONTOSO.TEST"]);

    private static TestRealm StartHome(TestRealm remote) =>
        TestRealm.Start().User("bob").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(remote);

    private static ValueTask<ServiceTicket> GetAsync(S4UClient client, KerberosPrincipal user, ServicePrincipalName service) =>
        client.GetTicketAsync(user, service, TestContext.Current.CancellationToken);

    public static TheoryData<string> RogueReferrals =>
        ["of another user", "named for another user", "forged", "nonce", "service", "key", "circle", "expired"];

    private static KdcFault Lie(string name) => name switch
    {
        "of another user" => KdcFault.TicketOfAnotherUser("eve"),
        "named for another user" => KdcFault.NameOfAnotherUser("eve"),
        "forged" => KdcFault.ForgedSignedUser,
        "nonce" => KdcFault.WrongNonce,
        "service" => KdcFault.WrongService("HTTP/app"),
        "key" => KdcFault.WrongReplyKey,
        "circle" => KdcFault.WrongService("krbtgt/EU.TEST"),
        "expired" => KdcFault.Expired,
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    [Theory]
    [MemberData(nameof(RogueReferrals))]
    public async Task A_rogue_referral_that_carries_a_user_is_rejected(string lie)
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        remote.Fail(Lie(lie), KerberosExchange.S4U2Self);
        (await Should.ThrowAsync<KerberosException>(async () => await GetAsync(client, Ada, Local))).Code.ShouldBeNull();

        home.ClearTranscript();
        (await GetAsync(client, Ada, Local)).User.ShouldBe(Ada);
        home.Transcript.ShouldBe(["TGS gw>krbtgt/EU.TEST ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task A_referral_with_the_PAC_of_another_user_is_refused_by_the_own_KDC()
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        remote.Fail(KdcFault.HiddenUser("eve"), KerberosExchange.S4U2Self, times: int.MaxValue);
        (await Should.ThrowAsync<KerberosException>(async () => await GetAsync(client, Ada, Local))).Code.ShouldBe(
            KerberosErrorCode.BadMatch);
        home.Transcript.ShouldContain("SELF ada>gw KRB_AP_ERR_BADMATCH");
    }

    [Theory]
    [InlineData("nonce")]
    [InlineData("key")]
    [InlineData("named for another user")]
    [InlineData("of another user")]
    [InlineData("expired")]
    [InlineData("service")]
    public async Task A_ticket_for_a_remote_service_in_a_rogue_reply_is_rejected(string lie)
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        remote.Fail(Lie(lie), KerberosExchange.S4U2Proxy);
        (await Should.ThrowAsync<KerberosException>(async () => await GetAsync(client, Bob, Remote))).Reason.ShouldBe(
            KerberosFailureReason.ReplyRejected);

        remote.ClearTranscript();
        (await GetAsync(client, Bob, Remote)).User.ShouldBe(Bob);
        remote.Transcript.ShouldBe(["TGS gw>HTTP/app.eu.test ok", "PROXY bob>HTTP/app.eu.test ok"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reply_without_the_bit_of_resource_based_delegation_is_rejected(bool isReferral)
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        (isReferral ? home : remote).Fail(KdcFault.NoResourceBasedDelegation, KerberosExchange.S4U2Proxy);
        var error = await Should.ThrowAsync<KerberosException>(async () => await GetAsync(client, Bob, Remote));
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
        error.Detail.ShouldContain("resource-based delegation");
    }

    [Fact]
    public async Task A_loop_of_referrals_ends()
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        remote.Fail(KdcFault.WrongService("krbtgt/CONTOSO.TEST"), KerberosExchange.Referral, times: int.MaxValue);
        home.Fail(KdcFault.WrongService("krbtgt/EU.TEST"), KerberosExchange.Referral, times: int.MaxValue);
        (await Should.ThrowAsync<KerberosException>(async () => await GetAsync(client, Bob, Remote))).Exchange.ShouldBe(
            KerberosExchange.Referral);
        home.Transcript.Count.ShouldBeLessThan(10);
    }

    [Fact]
    public async Task Realms_that_refer_a_user_to_each_other_are_not_asked_for_ever()
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        home.Fail(KdcFault.ForgedReferral("EU.TEST"), KerberosExchange.RealmDiscovery, times: int.MaxValue);
        remote.Fail(KdcFault.ForgedReferral("CONTOSO.TEST"), KerberosExchange.RealmDiscovery, times: int.MaxValue);
        (await Should.ThrowAsync<KerberosException>(
            async () => await GetAsync(client, KerberosPrincipal.Enterprise("ada@eu.test"), Local))).Exchange.ShouldBe(
            KerberosExchange.RealmDiscovery);
        home.Transcript.Count.ShouldBeLessThan(10);
    }

    [Fact]
    public async Task A_referral_of_one_user_is_never_the_evidence_of_another()
    {
        await using var remote = StartRemote();
        await using var home = StartHome(remote);
        await using var client = home.CreateClient("gw");
        (await GetAsync(client, Ada, Local)).User.ShouldBe(Ada);
        (await GetAsync(client, KerberosPrincipal.Principal("eve", "EU.TEST"), Local)).User.Name.ShouldBe("eve");
        // Each user's referral is requested again: tickets that carry a user are never cached.
        home.Transcript.Count(line => line.StartsWith("TGS gw>krbtgt/EU.TEST", StringComparison.Ordinal)).ShouldBe(2);
    }
}
