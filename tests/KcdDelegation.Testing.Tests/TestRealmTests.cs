using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Tests;

public sealed class TestRealmTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_line_creates_a_realm_that_delegates()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app");
        var ticket = await realm.GetTicketAsync("gw", "ada", "HTTP/app", Stop);
        ticket.User.ToString().ShouldBe("ada@CONTOSO.TEST");
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task A_service_that_is_not_on_the_list_is_refused_at_the_proxy_step()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/other"]).Service("HTTP/app");
        var error = await Should.ThrowAsync<KerberosException>(async () => await realm.GetTicketAsync("gw", "ada", "HTTP/app", Stop));
        error.Code.ShouldBe(KerberosErrorCode.BadOption);
        realm.Transcript.ShouldBe(["AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app KDC_ERR_BADOPTION"]);
    }

    [Fact]
    public async Task An_account_logs_on_with_a_written_keytab()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"], keyVersion: 300)
            .Service("HTTP/app");
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            await realm.WriteKeytabAsync("gw", path, Stop);
            using var account = ServiceAccount.FromKeytab("gw", path);
            var options = new S4UClientOptions { Realm = realm.Name, Account = account, Kdcs = { [realm.Name] = [realm.Endpoint] } };
            await using var client = new S4UClient(options);
            await client.LogOnAsync(Stop);
            realm.Transcript.ShouldBe(["AS gw ok"]);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Over_UDP_a_reply_that_is_too_big_is_sent_over_TCP()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").PacSize(4_000);
        var options = new S4UClientOptions { Realm = realm.Name, Account = realm.CreateServiceAccount("gw"),
            Kdcs = { [realm.Name] = [realm.UdpEndpoint] } };
        await using var client = new S4UClient(options);
        await client.LogOnAsync(Stop);
        realm.Transcript.ShouldBe(["AS gw KRB_ERR_RESPONSE_TOO_BIG", "AS gw ok"]);
    }

    [Fact]
    public async Task The_client_detects_and_corrects_a_clock_that_is_ahead()
    {
        await using var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app")
            .ClockAhead(TimeSpan.FromMinutes(20));
        await realm.GetTicketAsync("gw", "ada", "HTTP/app", Stop);
        realm.Transcript.ShouldBe(["AS gw KRB_AP_ERR_SKEW", "AS gw ok", "SELF ada>gw ok", "PROXY ada>HTTP/app ok"]);
    }

    [Fact]
    public async Task Lists_and_accounts_change_while_the_realm_runs()
    {
        await using var realm = TestRealm.Start().User("ada").User("bob").Account("gw").Service("HTTP/app");
        await using var client = realm.CreateClient("gw");
        var app = ServicePrincipalName.Parse("HTTP/app");
        var ada = KerberosPrincipal.Principal("ada", realm.Name);
        await Should.ThrowAsync<KerberosException>(async () =>
            await client.GetTicketAsync(KerberosPrincipal.Principal("bob", realm.Name), app, Stop));
        realm.AllowDelegation("gw", "HTTP/app");
        (await client.GetTicketAsync(ada, app, Stop)).User.Name.ShouldBe("ada");
        client.PurgeAll();
        realm.Disable("ada");
        (await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(ada, app,
            Stop))).Code.ShouldBe(KerberosErrorCode.ClientRevoked);
        client.PurgeAll();
        realm.Remove("bob").DenyDelegation("gw", "HTTP/app");
        (await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(KerberosPrincipal.Principal("bob", realm.Name),
            app, Stop))).Code.ShouldBe(KerberosErrorCode.ClientPrincipalUnknown);
    }

    [Fact]
    public async Task Log_on_with_an_expired_password_fails_with_KEY_EXPIRED()
    {
        await using var realm = TestRealm.Start().Account("gw").ExpirePassword("gw");
        await using var client = realm.CreateClient("gw");
        (await Should.ThrowAsync<KerberosException>(async () => await client.LogOnAsync(Stop))).Code.ShouldBe(KerberosErrorCode.KeyExpired);
    }

    [Fact]
    public async Task A_realm_can_be_disposed_twice()
    {
        var realm = TestRealm.Start().User("ada").Account("gw", mayDelegateTo: ["HTTP/web"]).Service("HTTP/web");
        await realm.GetTicketAsync("gw", "ada", "HTTP/web", cancellationToken: Stop);
        await realm.DisposeAsync();
        await Should.NotThrowAsync(async () => await realm.DisposeAsync());
    }

    [Fact]
    public async Task The_transcript_can_be_cleared()
    {
        await using var realm = TestRealm.Start().Account("gw");
        await using var client = realm.CreateClient("gw");
        await client.LogOnAsync(Stop);
        realm.ClearTranscript();
        realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task Errors_name_the_duplicate_or_missing_account()
    {
        await using var realm = TestRealm.Start().User("ada");
        Should.Throw<ArgumentException>(() => realm.User("ADA")).Message.ShouldContain("already");
        Should.Throw<ArgumentException>(() => realm.Disable("bob")).Message.ShouldContain("It has: ada");
        Should.Throw<ArgumentException>(() => realm.CreateClient("ada")).Message.ShouldContain("no password");
        Should.Throw<FormatException>(() => realm.User("eve", sid: "S-1-x"));
    }
}
