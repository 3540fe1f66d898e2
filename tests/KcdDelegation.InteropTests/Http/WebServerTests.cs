using System.Net;

namespace KcdDelegation.InteropTests;

/// <summary>Requests as users to web servers that are not ours: every one must see the user, and most prove themselves.</summary>
public sealed class WebServerTests
{
    public static TheoryData<string, string, TokenFormat> Servers
    {
        get
        {
            var data = new TheoryData<string, string, TokenFormat>();
            foreach (var format in Enum.GetValues<TokenFormat>())
            {
                data.Add("mit", LabRealm.Mit.Web("spnego/").AbsoluteUri, format);
                data.Add("mit", LabRealm.Mit.Web("krb5only/").AbsoluteUri, format);
                data.Add("mit", LabRealm.Mit.WebTls("spnego/").AbsoluteUri, format);
                data.Add("samba", LabRealm.Samba.Web("spnego/").AbsoluteUri, format);
                data.Add("samba22", LabRealm.Samba22.WebTls("spnego/").AbsoluteUri, format);
                data.Add("mit", LabWeb.Java.AbsoluteUri, format);
                data.Add("mit", LabWeb.JavaTls.AbsoluteUri, format);
                data.Add("mit", LabWeb.PythonTls.AbsoluteUri, format);
                data.Add("mit", new Uri(LabWeb.JavaTls, "cb").AbsoluteUri, format);
                data.Add("mit", new Uri(LabWeb.PythonTls, "cbreq").AbsoluteUri, format);
                data.Add("mit", LabWeb.ReplayCache.AbsoluteUri, format);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_server_sees_the_user_and_proves_itself(string part, string url, TokenFormat format)
    {
        var realm = LabRealm.Get(part);
        Lab.Require(part, "web", "acceptors");
        await using var application = new LabApplication(realm, new Uri(url));
        application.Settings = application.Settings with { TokenFormat = format };
        using var client = application.CreateClient();

        for (var round = 0; round < 3; round++)
        {
            using var response = await application.GetAsync(client, "alice");
            response.GetKcdRefusal()?.Message.ShouldBeNull();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("alice", Case.Insensitive);
            response.Headers.Contains("WWW-Authenticate").ShouldBeFalse();
        }
    }

    /// <summary>nginx's module sends no AP-REP.</summary>
    [Theory]
    [InlineData(TokenFormat.Kerberos)]
    [InlineData(TokenFormat.Spnego)]
    public async Task Nginx_sees_the_user(TokenFormat format)
    {
        Lab.Require("mit", "nginx");
        await using var application = new LabApplication(LabRealm.Mit, LabWeb.Nginx);
        application.Settings = application.Settings with { TokenFormat = format, MutualAuthentication = MutualAuthentication.Optional };
        using var client = application.CreateClient();
        using var response = await application.GetAsync(client, "alice");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("mit", AuthenticationStart.Preemptive)]
    [InlineData("mit", AuthenticationStart.OnChallenge)]
    public async Task Users_are_kept_apart(string part, AuthenticationStart start)
    {
        var realm = LabRealm.Get(part);
        realm.RequireWeb();
        await using var application = new LabApplication(realm, realm.WebTls("spnego/"));
        application.Settings = application.Settings with { Start = start, MutualAuthentication = MutualAuthentication.Optional };
        using var client = application.CreateClient();
        foreach (var user in (string[])["alice", "bob", "alice", "bob"])
        {
            using var response = await application.GetAsync(client, user);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain(user, Case.Insensitive);
        }
    }

    [Theory]
    [InlineData("cb")]
    [InlineData("")]
    public async Task A_server_with_another_key_refuses_with_a_reason(string path)
    {
        Lab.Require("mit", "acceptors");
        await using var application = new LabApplication(LabRealm.Mit, new Uri(LabWeb.JavaTls, path));
        // Delegation to it is allowed, but this server does not hold its key.
        application.Settings =
            application.Settings with { Service = KcdDelegation.Kerberos.ServicePrincipalName.Parse("HTTP/web-aes256.mit.test") };
        using var client = application.CreateClient();
        using var response = await application.GetAsync(client, "alice");
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.GetKcdRefusal().ShouldNotBeNull().Remedy.ShouldContain("setspn");
    }

    /// <summary>nginx answers 403 without a challenge to a ticket that its keytab cannot open.</summary>
    [Theory]
    [InlineData(MutualAuthentication.Off)]
    [InlineData(MutualAuthentication.Required)]
    public async Task A_403_of_nginx_is_explained(MutualAuthentication mutual)
    {
        Lab.Require("mit", "nginx");
        await using var application = new LabApplication(LabRealm.Mit, LabWeb.Nginx);
        // Delegation to it is allowed, but nginx accepts tickets for another name only.
        application.Settings = application.Settings with
        {
            Service = KcdDelegation.Kerberos.ServicePrincipalName.Parse("HTTP/web-aes128.mit.test"),
            MutualAuthentication = mutual,
        };
        using var client = application.CreateClient();
        if (mutual == MutualAuthentication.Required)
        {
            var error = await Should.ThrowAsync<KcdException>(() => application.GetAsync(client, "alice"));
            error.Cause.ShouldContain("answered 403");
            error.Cause.ShouldContain("nginx with its SPNEGO module");
            return;
        }
        using var response = await application.GetAsync(client, "alice");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        var hint = response.GetKcdHint().ShouldNotBeNull();
        hint.EventId.ShouldBe(4016);
        hint.Cause.ShouldContain("aes128-cts-hmac-sha1-96, key version");
    }

    [Fact]
    public async Task A_server_that_wants_a_binding_refuses_a_ticket_without_one()
    {
        Lab.Require("mit", "acceptors");
        await using var application = new LabApplication(LabRealm.Mit, new Uri(LabWeb.PythonTls, "cbreq"));
        application.Settings = application.Settings with { ChannelBinding = false };
        using var client = application.CreateClient();
        using var response = await application.GetAsync(client, "alice");
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.GetKcdRefusal().ShouldNotBeNull().Remedy.ShouldContain("channel binding");
    }
}
