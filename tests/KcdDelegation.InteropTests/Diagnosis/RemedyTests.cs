using System.Text.RegularExpressions;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using static KcdDelegation.Kerberos.KerberosErrorCode;
using static KcdDelegation.Kerberos.KerberosExchange;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>Causes a refusal, runs the command that the remedy prints, and checks that the same request succeeds.</summary>
public sealed partial class RemedyTests
{
    private const string Mit = "mit";
    private const string Samba17 = "samba";
    private const string Samba22 = "samba22";

    private static readonly Dictionary<string,
        string> NewPassword = new(StringComparer.Ordinal) { ["setpassword"] = $"setpassword --newpassword={Lab.Password}" };
    private static readonly Dictionary<string, string> KeytabFile = new(StringComparer.Ordinal) { ["connector.keytab"] = "{keytab}" };
    private static readonly Dictionary<string, string> Target = new(StringComparer.Ordinal) { ["TARGET"] = "{target}" };
    private static readonly Dictionary<string, string> UserName = new(StringComparer.Ordinal) { ["<sAMAccountName>"] = "{user}" };

    internal static IReadOnlyList<RemedyCase> Cases { get; } =
    [
        new("Target on no list: the account's list", Mit)
        {
            Breaks = ["delete-attribute {account} krbAllowedToDelegateTo"], Seen = new(S4U2Proxy, BadOption), Cures = ["printf 'dn: DN"],
        },
        new("Target on no list: the account's list", Samba17, Samba22)
        {
            Breaks = ["samba-tool delegation del-service {account} {spn}"], Seen = new(S4U2Proxy, BadOption),
                Cures = ["samba-tool delegation add-service "],
        },
        new("Target on no list: the target's own list", Samba22)
        {
            Breaks = ["samba-tool delegation del-service {account} {spn}"], Seen = new(S4U2Proxy, BadOption),
                Cures = ["samba-tool delegation add-principal "], FilledIn = Target,
        },
        new("Target whose SPN is not registered", Mit)
        {
            Breaks = ["kadmin.local delprinc -force {spn}"], Seen = new(S4U2Proxy, ServicePrincipalUnknown),
                Cures = ["kadmin.local addprinc "],
        },
        new("Target whose SPN is not registered", Samba17, Samba22)
        {
            Breaks = ["samba-tool spn delete {spn} {target}"], Seen = new(S4U2Proxy, ServicePrincipalUnknown),
                Cures = ["samba-tool spn add "], FilledIn = Target,
        },
        new("Target that is not allowed to be a service", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_svr {spn}"], Seen = new(S4U2Proxy, MustUseUserToUser),
                Cures = ["kadmin.local modprinc +allow_svr "],
        },
        new("Account without any authentication protocol", Mit)
        {
            Breaks = ["kadmin.local modprinc -ok_to_auth_as_delegate {account}"], Seen = new(S4U2Proxy, BadOption, EvidenceNotForwardable),
                Cures = ["kadmin.local modprinc +ok_to_auth_as_delegate "],
        },
        new("Account without any authentication protocol", Samba17, Samba22)
        {
            Breaks = ["samba-tool delegation for-any-protocol {account} off"], Seen = new(S4U2Proxy, BadOption, EvidenceNotForwardable),
                Cures = ["samba-tool delegation for-any-protocol "],
        },
        new("Sensitive user", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_forwardable {user}"], Seen = new(S4U2Proxy, BadOption, EvidenceNotForwardable),
                Cures = ["kadmin.local modprinc +allow_forwardable "],
        },
        new("Sensitive user", Samba17, Samba22)
        {
            Breaks = ["samba-tool user sensitive {user} on"], Seen = new(S4U2Proxy, BadOption, EvidenceNotForwardable),
                Cures = ["samba-tool user sensitive "],
        },
        new("Disabled user", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_tix {user}"], Seen = new(S4U2Self, ClientRevoked),
                Cures = ["kadmin.local modprinc +allow_tix "],
        },
        new("Disabled user", Samba17, Samba22)
        {
            Breaks = ["samba-tool user disable {user}"], Seen = new(S4U2Self, Policy), Cures = ["samba-tool user enable "],
        },
        new("Expired user", Mit)
        {
            Breaks = ["kadmin.local modprinc -expire 2020-01-01 {user}"], Seen = new(S4U2Self, ClientExpired),
                Cures = ["kadmin.local modprinc -expire never "],
        },
        new("Expired user", Samba17, Samba22)
        {
            Breaks = ["samba-tool user setexpiry {user} --days=-5"], Seen = new(S4U2Self, ClientExpired),
                Cures = ["samba-tool user setexpiry "],
        },
        new("User whose password has expired", Samba17, Samba22)
        {
            Breaks = [$"samba-tool user setpassword {{user}} --newpassword={Lab.Password} --must-change-at-next-login"],
                Seen = new(S4U2Proxy, KeyExpired), Cures = ["samba-tool user setpassword "], FilledIn = NewPassword,
        },
        new("User principal name that no account has", Mit)
        {
            Breaks = [], User = Upn, Seen = new(RealmDiscovery, ClientPrincipalUnknown), Cures = ["printf 'dn: DN"],
        },
        new("User principal name that no account has", Samba17, Samba22)
        {
            Breaks = [], User = Upn, Seen = new(RealmDiscovery, ClientPrincipalUnknown), Cures = ["samba-tool user rename "],
                FilledIn = UserName,
        },
        new("Keytab older than the password", Mit)
        {
            ByKeytab = true, CuredByKeytab = true,
            Breaks = ["kadmin.local ktadd -norandkey -k {keytab} {account}", "kadmin.local cpw -randkey {account}"],
                Seen = new(LogOn, PreAuthenticationFailed), Cures = ["kadmin.local ktadd "], FilledIn = KeytabFile,
        },
        new("Keytab older than the password", Samba17, Samba22)
        {
            ByKeytab = true, CuredByKeytab = true,
            Breaks = ["samba-tool domain exportkeytab {keytab} --principal={account}",
                "samba-tool user setpassword {account} --newpassword=An0therPassw0rd!"],
            Seen = new(LogOn, PreAuthenticationFailed), Cures = ["samba-tool domain exportkeytab "], FilledIn = KeytabFile,
        },
        new("Account without AES keys", Mit)
        {
            CuredByKeytab = true,
            Breaks = ["kadmin.local cpw -randkey -e arcfour-hmac:normal {account}"], Seen = new(LogOn, null, EncryptionTypeRefused),
                Cures = ["kadmin.local cpw -randkey -e aes256-cts:normal"],
        },
        new("Account that is not declared to support AES", Samba17, Samba22)
        {
            Breaks = ["delete-attribute {account} msDS-SupportedEncryptionTypes"], Seen = new(S4U2Self, null, EncryptionTypeRefused),
                Cures = ["net ads enctypes set "],
        },
        new("Account without a service principal name", Samba17, Samba22)
        {
            Breaks = ["delete-attribute {account} servicePrincipalName"], Seen = new(S4U2Self, ServicePrincipalUnknown),
                Cures = ["samba-tool spn add "],
            FilledIn = new Dictionary<string, string>(StringComparer.Ordinal) { ["HTTP/GATEWAY"] = "HTTP/{account}.{domain}" },
        },
        new("Account that is declared for RC4 only", Samba17, Samba22)
        {
            Breaks = ["set-attribute {account} msDS-SupportedEncryptionTypes 4"], Seen = new(S4U2Self, EncryptionTypeNotSupported),
                Cures = ["net ads enctypes set "],
        },
        new("Account that requires a smart card", Samba22)
        {
            Breaks = ["samba-tool user setpassword {account} --smartcard-required"],
            Seen = new(LogOn, Policy, NtStatus: KcdDelegation.Diagnosis.NtStatusNames.SmartCardLogonRequired),
                Cures = ["samba-tool user setpassword "], FilledIn = NewPassword,
        },
        new("Account that is sensitive", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_forwardable {account}"], Seen = new(S4U2Proxy, BadOption, AccountNotForwardable),
                Cures = ["kadmin.local modprinc +allow_forwardable "],
        },
        new("Account that is sensitive", Samba17, Samba22)
        {
            Breaks = ["samba-tool user sensitive {account} on"], Seen = new(S4U2Self, BadOption, AccountNotForwardable),
                Cures = ["samba-tool user sensitive "],
        },
        new("Account with hardware pre-authentication", Mit)
        {
            Breaks = ["kadmin.local modprinc +requires_hwauth {account}"],
            Seen = new(LogOn, PreAuthenticationRequired, PreAuthenticationNotSupported, When: RowCondition.KdcSays("NEEDED_HW_PREAUTH")),
                Cures = ["kadmin.local modprinc -requires_hwauth "],
        },
        new("Target with hardware pre-authentication", Mit)
        {
            Breaks = ["kadmin.local modprinc +requires_hwauth {spn}"],
            Seen = new(S4U2Proxy, Generic, When: RowCondition.KdcSays("NO HW PREAUTH")),
                Cures = ["kadmin.local modprinc -requires_hwauth "],
        },
        new("Expired target", Mit)
        {
            Breaks = ["kadmin.local modprinc -expire 2020-01-01 {spn}"], Seen = new(S4U2Proxy, ServiceExpired),
                Cures = ["kadmin.local modprinc -expire never "],
        },
        new("Disabled target", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_tix {spn}"],
            Seen = new(S4U2Proxy, ServicePrincipalUnknown, When: RowCondition.KdcSays("SERVER LOCKED OUT")),
                Cures = ["kadmin.local modprinc +allow_tix "],
        },
        new("Disabled account", Mit)
        {
            Breaks = ["kadmin.local modprinc -allow_tix {account}"], Seen = new(LogOn, ClientRevoked),
                Cures = ["kadmin.local modprinc +allow_tix "],
        },
        new("Disabled account", Samba17, Samba22)
        {
            Breaks = ["samba-tool user disable {account}"],
                Seen = new(LogOn, ClientRevoked, NtStatus: KcdDelegation.Diagnosis.NtStatusNames.AccountDisabled),
                Cures = ["samba-tool user enable "],
        },
        new("Expired account", Mit)
        {
            Breaks = ["kadmin.local modprinc -expire 2020-01-01 {account}"], Seen = new(LogOn, ClientExpired),
                Cures = ["kadmin.local modprinc -expire never "],
        },
        new("Expired account", Samba17, Samba22)
        {
            Breaks = ["samba-tool user setexpiry {account} --days=-5"],
                Seen = new(LogOn, ClientRevoked, NtStatus: KcdDelegation.Diagnosis.NtStatusNames.AccountExpired),
                Cures = ["samba-tool user setexpiry "],
        },
        new("Account whose password has expired", Mit)
        {
            Breaks = ["kadmin.local modprinc -pwexpire 2020-01-01 {account}"], Seen = new(LogOn, KeyExpired),
                Cures = ["kadmin.local modprinc -pwexpire never "],
        },
        new("Account whose password has expired", Samba17, Samba22)
        {
            Breaks = [$"samba-tool user setpassword {{account}} --newpassword={Lab.Password} --must-change-at-next-login"],
            Seen = new(LogOn, KeyExpired, NtStatus: KcdDelegation.Diagnosis.NtStatusNames.PasswordMustChange),
                Cures = ["samba-tool user setpassword "], FilledIn = NewPassword,
        },
    ];

    public static TheoryData<string, string> Rows
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var row in Cases)
            {
                foreach (var part in row.Parts)
                    rows.Add(row.Name, part);
            }
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task After_the_printed_command_the_same_request_succeeds(string name, string part)
    {
        var row = Cases.Single(row => row.Name == name && row.Parts.Contains(part));
        var realm = LabRealm.Get(part);
        realm.Require();
        await using var company = await LabCompany.FoundAsync(realm, Cancellation);
        foreach (var command in row.Breaks)
            await company.RunAsync(command, Cancellation);

        var error = await Should.ThrowAsync<KerberosException>(() => RequestAsync(row, company, row.ByKeytab));
        (Sight.From(error) with { When = row.Seen.When }).ShouldBe(row.Seen, error.Message);
        ErrorCatalogue.Rows.First(entry => entry.Matches(error)).ShouldBeSameAs(row.Seen.Row, error.Message);

        var printed = Backquoted().Matches(KcdException.Explain(error).Remedy).Select(match => match.Groups[1].Value).ToList();
        foreach (var cure in row.Cures)
        {
            var command = printed.First(command => command.StartsWith(cure, StringComparison.Ordinal));
            await company.RunAsync(
                row.FilledIn.Aggregate(command, (text, word) => text.Replace(word.Key, word.Value, StringComparison.Ordinal)),
                Cancellation);
        }
        if (row.CuredByKeytab && !row.ByKeytab)
            await company.RunAsync("kadmin.local ktadd -norandkey -k {keytab} {account}", Cancellation);

        (await RequestAsync(row, company, row.CuredByKeytab)).User.Name.ShouldBe(row.User(company).Name);
    }

    [Fact]
    public async Task A_KDC_that_is_listed_after_an_unreachable_one_is_used()
    {
        LabRealm.Mit.Require();
        using var account = ServiceAccount.FromKeytab(LabRealm.Mit.Connector, LabRealm.Mit.Keytab("connector"));
        var dead = new KdcEndpoint("127.0.0.1", 9);
        var user = KerberosPrincipal.Principal("alice", LabRealm.Mit.Realm);
        var service = ServicePrincipalName.Parse(LabRealm.Mit.Spn("web"));

        await using (var client = Client([dead]))
        {
            var error = await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(user, service, Cancellation));
            KcdException.Explain(error).Remedy.ShouldContain("list the KDCs under Kcd:Kdcs");
        }
        await using (var client = Client([dead, LabRealm.Mit.Kdc]))
            (await client.GetTicketAsync(user, service, Cancellation)).User.ShouldBe(user);

        S4UClient Client(IReadOnlyList<KdcEndpoint> kdcs)
        {
            var options = new S4UClientOptions { Realm = LabRealm.Mit.Realm, Account = account };
            options.Kdcs[LabRealm.Mit.Realm] = kdcs;
            return new S4UClient(options);
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static KerberosPrincipal Upn(LabCompany company) => KerberosPrincipal.Enterprise($"{company.User}.new@{company.Realm.Domain}");

    /// <summary>Uses a new client each time, so that nothing is cached.</summary>
    private static async Task<ServiceTicket> RequestAsync(RemedyCase row, LabCompany company, bool byKeytab)
    {
        using var account = byKeytab ? ServiceAccount.FromKeytab(company.Account, company.KeytabPath)
            : ServiceAccount.FromPassword(company.Account, Lab.Password);
        await using var client = company.CreateClient(account);
        return await client.GetTicketAsync(row.User(company), ServicePrincipalName.Parse(company.Spn), Cancellation);
    }

    [GeneratedRegex("`(?<command>[^`]+)`", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Backquoted();
}
