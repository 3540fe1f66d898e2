using KcdDelegation.Testing;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Users that a KDC finds under another name than the requested one, as MIT krb5 finds an alias.</summary>
public sealed class AliasTests
{
    private static readonly ServicePrincipalName App = ServicePrincipalName.Parse("HTTP/app");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_that_the_KDC_resolves_to_another_account_is_refused_and_no_KDC_is_asked_again_or_marked_as_failed()
    {
        var logger = new CapturingLogger();
        await using var realm = TestRealm.Start(kind: KdcKind.Mit).User("ada").User("eve").Account("gw", mayDelegateTo: ["HTTP/app"])
            .Service("HTTP/app");
        using var account = realm.CreateServiceAccount("gw");
        using var loggers = new CapturingLoggerFactory(logger);
        await using var client = new S4UClient(new S4UClientOptions
        {
            Realm = realm.Name, Account = account, Kdcs = { [realm.Name] = [realm.Endpoint, realm.UdpEndpoint] }, LoggerFactory = loggers,
        });
        realm.Fail(KdcFault.TicketOfAnotherUser("eve").And(KdcFault.NoPac), KerberosExchange.S4U2Self);

        var error = await RefusedAsync(client, KerberosPrincipal.Principal("ada", realm.Name));

        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldBe("the request was for ada@CONTOSO.TEST, but the KDC answered for the account eve@CONTOSO.TEST; "
            + "ada is an alias of eve");
        realm.Transcript.Count(line => line.StartsWith("SELF ", StringComparison.Ordinal)).ShouldBe(1);
        logger.Events.ShouldNotContain(logged => logged.Id == 2102 || logged.Id == 2114);
    }

    [Fact]
    public async Task A_user_that_a_KDC_of_another_realm_resolves_to_another_account_is_refused_with_both_names()
    {
        await using var remote = TestRealm.Start("EU.TEST", kind: KdcKind.Mit).User("jd1001", userPrincipalName: "joed@contoso.local");
        await using var home = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(remote);
        await using var client = home.CreateClient("gw");

        var error = await RefusedAsync(client, KerberosPrincipal.Enterprise("joed@contoso.local", "EU.TEST"));

        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldBe("the request was for joed@contoso.local@EU.TEST, but the KDC answered for the account jd1001@EU.TEST; "
            + "joed@contoso.local is an alias of jd1001");
        home.Transcript.ShouldNotContain(line => line.StartsWith("PROXY", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_a_referral_changed_does_not_replace_the_requested_one_where_the_PAC_is_checked()
    {
        // The realm resolves admin@evil.example to admin. That account has another user principal name.
        await using var remote = TestRealm.Start("EU.TEST", kind: KdcKind.Mit).User("admin", userPrincipalName: "admin@evil.example");
        await using var home = TestRealm.Start().Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Trusts(remote);
        await using var client = home.CreateClient("gw");
        remote.Fail(KdcFault.PacNames("admin", "root@eu.test"), KerberosExchange.S4U2Self);

        var error = await RefusedAsync(client, KerberosPrincipal.Enterprise("admin@evil.example", "EU.TEST"));

        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch, error.Message);
        error.Detail.ShouldContain("the request was for admin@evil.example, but the KDC answered for the account admin");
    }

    private static Task<KerberosException> RefusedAsync(S4UClient client, KerberosPrincipal user) =>
        Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(user, App, Stop));
}
