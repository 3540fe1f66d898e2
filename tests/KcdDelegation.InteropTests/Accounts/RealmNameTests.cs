using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Realms that are configured in lower case or by the NetBIOS name of the domain.</summary>
public sealed class RealmNameTests
{
    [Theory]
    [InlineData("ad22.test", "AD22.TEST", "HTTP/web.ad22.test")]
    [InlineData("AD22.TEST", "ad22.test", "HTTP/web.ad22.test")]
    [InlineData("AD22.TEST", "AD22.TEST", "HTTP/web.ad22.test@ad22.test")]
    public async Task Active_Directory_ignores_the_case_of_realms(string realm, string userRealm, string service)
    {
        LabRealm.Samba22.Require();
        (await GetAsync(LabRealm.Samba22, "svc-connector", realm, userRealm, service)).User.Name.ShouldBe("alice");
    }

    [Theory]
    [InlineData("AD22", "AD22.TEST", "HTTP/web.ad22.test")]
    [InlineData("AD22.TEST", "AD22", "HTTP/web.ad22.test")]
    [InlineData("AD22.TEST", "AD22.TEST", "HTTP/web.ad22.test@AD22")]
    public async Task A_NetBIOS_name_is_refused_with_the_name_of_the_realm(string realm, string userRealm, string service)
    {
        // Not where an exception is expected: without the lab it is that of a skipped test.
        LabRealm.Samba22.Require();
        var error = await Should.ThrowAsync<KerberosException>(
            () => GetAsync(LabRealm.Samba22, "svc-connector", realm, userRealm, service));
        error.Reason.ShouldNotBe(KerberosFailureReason.ReplyRejected, error.Message);
        error.Detail.ShouldContain("AD22.TEST", Case.Sensitive, error.Message);
        error.Message.ShouldNotContain("loop", Case.Insensitive);
    }

    [Theory]
    [InlineData("mit.test", "MIT.TEST")]
    [InlineData("MIT.TEST", "mit.test")]
    public async Task MIT_compares_realms_with_their_case_and_the_refusal_names_the_realm(string realm, string userRealm)
    {
        var mit = LabRealm.Mit;
        mit.Require();
        var error = await Should.ThrowAsync<KerberosException>(() => GetAsync(mit, mit.Spn("connector"), realm, userRealm, mit.Spn("web")));
        error.Reason.ShouldNotBe(KerberosFailureReason.ReplyRejected, error.Message);
        error.Detail.ShouldContain("MIT.TEST", Case.Sensitive, error.Message);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<ServiceTicket> GetAsync(LabRealm lab, string account, string realm, string userRealm, string service)
    {
        using var gateway = ServiceAccount.FromKeytab(account, lab.Keytab("connector"));
        var options = new S4UClientOptions { Realm = realm, Account = gateway };
        options.Kdcs[realm] = [lab.Kdc];
        options.Kdcs[lab.Realm] = [lab.Kdc];
        await using var client = new S4UClient(options);
        return await client.GetTicketAsync(
            KerberosPrincipal.Principal("alice", userRealm), ServicePrincipalName.Parse(service), Cancellation);
    }
}
