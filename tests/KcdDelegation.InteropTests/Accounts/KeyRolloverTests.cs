using KcdDelegation.InteropTests.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Rolls the keys of a keytab account while its client runs. No request may fail, including those for users and targets that are
/// not cached.</summary>
public sealed class KeyRolloverTests
{
    private static readonly string[] Targets = ["web", "web-aes128", "web-aes256", "web-sha256", "web-sha384"];

    [Fact]
    public async Task A_running_client_continues_to_serve_while_its_keys_are_rolled_and_the_old_keys_are_removed()
    {
        var realm = LabRealm.Mit;
        realm.Require();
        var name = realm.Spn("connector-roll");
        using var account = ServiceAccount.FromKeytab(name, realm.Keytab("connector-roll"));
        var options = new S4UClientOptions { Realm = realm.Realm, Account = account };
        options.Kdcs[realm.Realm] = [realm.Kdc];
        await using var client = new S4UClient(options);
        var users = new Users();

        await ServeAsync("before");
        await WhileServingAsync(() => Lab.RunScriptAsync("mit", ["rekey", name], Cancellation));
        await ServeAsync("after rekey, old keys kept");
        await WhileServingAsync(() => Lab.RunScriptAsync("mit", ["rekey", name, "drop-old"], Cancellation));
        await ServeAsync("after rekey, old keys dropped");

        // Cached users at new targets: their evidence is encrypted with a key that the KDC no longer has.
        for (var i = 1; i <= 8; i++)
            await AskAsync($"u{i:D3}", Targets[1 + (i % 4)]);

        async Task WhileServingAsync(Func<Task> roll)
        {
            var rolling = roll();
            do
                await ServeAsync("meanwhile");
            while (!rolling.IsCompleted);
            await rolling;
        }

        async Task ServeAsync(string when)
        {
            foreach (var target in Targets)
            {
                var user = users.Next();
                try
                {
                    await AskAsync(user, target);
                }
                catch (KerberosException error)
                {
                    Assert.Fail($"{when}: {error.Message}");
                }
            }
        }

        async Task AskAsync(string user, string target)
        {
            var asked = KerberosPrincipal.Principal(user, realm.Realm);
            (await client.GetTicketAsync(asked, ServicePrincipalName.Parse(realm.Spn(target)), Cancellation)).User.ShouldBe(asked);
        }
    }

    [Theory]
    [InlineData("mit")]
    [InlineData("samba")]
    [InlineData("samba22")]
    public async Task Tickets_that_were_cached_before_the_old_keys_were_removed_cause_no_failure(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await using var company = await LabCompany.FoundAsync(realm, Cancellation);
        var isMit = realm.Software == LabKdc.Mit;
        var roll = isMit ? "kadmin.local cpw -randkey {account}" : "samba-tool user setpassword {account} --newpassword=R0lled!{0}";
        var export = isMit ? "kadmin.local ktadd -norandkey -k {keytab} {account}"
            : "samba-tool domain exportkeytab {keytab} --principal={account}";
        await company.RunAsync(export, Cancellation);
        using var account = ServiceAccount.FromKeytab(company.Account, company.KeytabPath);
        await using var client = company.CreateClient(account);
        var (user, service) = (KerberosPrincipal.Principal(company.User, realm.Realm), ServicePrincipalName.Parse(company.Spn));
        await client.GetTicketAsync(user, service, Cancellation);

        // Several times, because domain controllers keep a few old keys.
        for (var i = 0; i < 4; i++)
            await company.RunAsync(roll.Replace("{0}", $"{i}", StringComparison.Ordinal), Cancellation);
        File.Delete(company.KeytabPath);
        await company.RunAsync(export, Cancellation);

        // The account's own ticket and the user's evidence remain in the cache, the evidence under a key that was removed.
        client.Purge(service).ShouldBe(1);
        (await client.GetTicketAsync(user, service, Cancellation)).User.ShouldBe(user);
        client.PurgeAll();
        (await client.GetTicketAsync(user, service, Cancellation)).User.ShouldBe(user);
    }

    [Fact]
    public async Task An_outdated_keytab_is_reported_as_the_cause_and_delays_requests_once()
    {
        LabRealm.Mit.Require();
        await using var company = await LabCompany.FoundAsync(LabRealm.Mit, Cancellation);
        await company.RunAsync("kadmin.local ktadd -norandkey -k {keytab} {account}", Cancellation);
        using var account = ServiceAccount.FromKeytab(company.Account, company.KeytabPath);
        await using var client = company.CreateClient(account);
        await client.LogOnAsync(Cancellation);
        await company.RunAsync("kadmin.local cpw -randkey -keepold {account}", Cancellation);

        for (var i = 1; i <= 2; i++)
        {
            var error = await Should.ThrowAsync<KerberosException>(async () =>
                await client.GetTicketAsync(
                    KerberosPrincipal.Principal($"u{i:D3}", company.Realm.Realm), ServicePrincipalName.Parse(company.Spn), Cancellation));
            error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable);
            var explained = KcdException.Explain(error);
            explained.Cause.ShouldContain($"tickets to the account {company.Account} with a newer key than the keytab contains");
            explained.Remedy.ShouldContain($"`kadmin.local ktadd -norandkey -k connector.keytab '{company.Account}'`");
        }

        await company.RunAsync("kadmin.local ktadd -norandkey -k {keytab} {account}", Cancellation);
        (await client.GetTicketAsync(
            KerberosPrincipal.Principal("u001", company.Realm.Realm), ServicePrincipalName.Parse(company.Spn),
            Cancellation)).User.Name.ShouldBe("u001");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The users u001 to u200 of the lab, in turn.</summary>
    private sealed class Users
    {
        private int _last;

        public string Next() => $"u{Interlocked.Increment(ref _last) % 200 + 1:D3}";
    }
}
