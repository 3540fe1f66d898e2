using System.Security.Claims;
using KcdDelegation.DirectoryServices;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Accounts of Samba 4.17 and 4.22, found by SID and by name, with their state.</summary>
public sealed class DirectoryIdentityTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("samba", "dc1")]
    [InlineData("samba22", "dc22")]
    public async Task A_SID_and_each_form_of_the_name_find_the_same_account(string part, string host)
    {
        await using var setup = new Setup(part, host);
        var bySam = await setup.MapAsync(LoginIdentity.OnPremisesSamAccountName, ("onprem_sam_account_name", "ALICE"));
        bySam.Name.ShouldBe("alice");
        bySam.Type.ShouldBe(PrincipalNameType.Principal);
        bySam.Realm.ShouldBe(setup.Realm.Realm);
        bySam.SecurityIdentifier.ShouldStartWith("S-1-5-21-");
        (await setup.MapAsync(LoginIdentity.UserPrincipalName, ("upn", $"alice@{setup.Realm.Domain}"))).ShouldBe(bySam);
        (await setup.MapAsync(LoginIdentity.UserPrincipalName, ("onprem_sid", bySam.SecurityIdentifier!))).ShouldBe(bySam);

        // The engine compares the SID with the ticket of the KDC.
        using var account = ServiceAccount.FromKeytab(setup.Realm.Connector, setup.Realm.Keytab("connector"));
        await using var client = Setup.CreateClient(setup.Realm, account);
        (await client.GetTicketAsync(bySam, ServicePrincipalName.Parse(setup.Realm.Spn("web")), Stop))
            .SecurityIdentifier.ShouldBe(bySam.SecurityIdentifier);
    }

    [Theory]
    [InlineData("disabled", "disabled")]
    [InlineData("sensitive", "sensitive")]
    [InlineData("protected", "Protected Users")]
    [InlineData("expired", "expired")]
    public async Task An_account_that_may_not_be_delegated_is_refused_with_its_state(string name, string reason)
    {
        await using var setup = new Setup("samba22", "dc22");
        var error = await Should.ThrowAsync<KcdException>(
            () => setup.MapAsync(LoginIdentity.OnPremisesSamAccountName, ("onprem_sam_account_name", name)));
        error.EventId.ShouldBe(1055, error.Message);
        error.Message.ShouldContain(reason);
    }

    [Fact]
    public async Task A_name_of_no_account_is_refused_and_no_value_changes_the_filter()
    {
        await using var setup = new Setup("samba22", "dc22");
        string[] names = ["nosuch", "a*", "alice)(objectClass=*", "*"];
        foreach (var name in names)
        {
            var accounts = await setup.Accounts.FindByNameAsync(KerberosPrincipal.Principal(name, setup.Realm.Realm), Stop);
            accounts.ShouldBeEmpty(name);
        }
        (await Should.ThrowAsync<KcdException>(
            () => setup.MapAsync(LoginIdentity.OnPremisesSamAccountName, ("onprem_sam_account_name", "nosuch")))).EventId.ShouldBe(1053);
        (await Should.ThrowAsync<KcdException>(
            () => setup.MapAsync(LoginIdentity.UserPrincipalName, ("onprem_sid", "S-1-5-21-1-2-3-4444")))).EventId.ShouldBe(1053);
    }

    private sealed class Setup : IAsyncDisposable
    {
        private readonly ServiceAccount _account;
        private readonly S4UClient _reader;
        private readonly DirectoryClient _directory;
        private readonly DirectoryIdentityMapper _mapper;

        public Setup(string part, string host)
        {
            Realm = LabRealm.Get(part);
            Realm.Require();
            _account = ServiceAccount.FromKeytab(Realm.Connector, Realm.Keytab("connector"));
            _reader = CreateClient(Realm, _account);
            var options = new DirectoryClientOptions { Reader = _reader, Domain = Realm.Domain };
            options.Servers.Add(new DirectoryServer($"{host}.{Realm.Domain}", null, System.Net.IPAddress.Parse(Realm.Kdc.Host)));
            _directory = new DirectoryClient(options);
            Accounts = new DirectoryAccounts(_directory, Realm.Domain);
            _mapper = new DirectoryIdentityMapper(Accounts);
        }

        public LabRealm Realm { get; }

        public DirectoryAccounts Accounts { get; }

        public static S4UClient CreateClient(LabRealm realm, ServiceAccount account) => new(new S4UClientOptions
        {
            Realm = realm.Realm, Account = account, Kdcs = { [realm.Realm] = [realm.Kdc] },
        });

        public async Task<KerberosPrincipal> MapAsync(LoginIdentity identity, (string Type, string Value) claim)
        {
            var caller = new ClaimsPrincipal(new ClaimsIdentity([new Claim(claim.Type, claim.Value)], "test"));
            var context = new MappingContext { ApplicationName = "app", Realm = Realm.Realm, LoginIdentity = identity };
            return await _mapper.MapAsync(caller, context, Stop);
        }

        public async ValueTask DisposeAsync()
        {
            await _directory.DisposeAsync();
            await _reader.DisposeAsync();
            _account.Dispose();
        }
    }
}
