using System.Globalization;
using System.Text.RegularExpressions;
using KcdDelegation.InteropTests.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Accounts;

/// <summary>Checks that a wrong key is tried once only, because every attempt counts towards the account's lock-out.</summary>
/// <remarks>The KDC of MIT krb5 counts failed attempts itself. Samba counts them only if a lock-out policy is in effect.</remarks>
public sealed partial class WrongKeyTests
{
    public static TheoryData<string> Realms => ["mit", "samba", "samba22"];

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_wrong_key_is_sent_to_the_KDC_once(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await using var company = await LabCompany.FoundAsync(realm, Cancellation);
        using var account = ServiceAccount.FromPassword(company.Account, "not the password");
        await using var client = company.CreateClient(account);
        var service = ServicePrincipalName.Parse(company.Spn);

        var errors = await Task.WhenAll(
            Enumerable.Range(1, 20).Select(i => RefusedAsync(client, KerberosPrincipal.Principal($"u{i:D3}", realm.Realm), service)));
        var last = await RefusedAsync(client, KerberosPrincipal.Principal(company.User, realm.Realm), service);

        errors.ShouldAllBe(
            error => error.Code == KerberosErrorCode.PreAuthenticationFailed || error.Reason == KerberosFailureReason.KeyRejected);
        last.Reason.ShouldBe(KerberosFailureReason.KeyRejected);
        KcdException.Explain(last).Cause.ShouldContain("not tried again until it changes");
        if (realm.Software == LabKdc.Mit)
            (await TriesAsync(company)).ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Realms))]
    public async Task A_corrected_password_file_is_used_immediately(string part)
    {
        var realm = LabRealm.Get(part);
        realm.Require();
        await using var company = await LabCompany.FoundAsync(realm, Cancellation);
        var file = Path.Combine(Path.GetTempPath(), $"{company.Account}.password");
        Write(file, "not the password");
        try
        {
            using var account = ServiceAccount.FromPasswordFile(company.Account, file);
            await using var client = company.CreateClient(account);
            var user = KerberosPrincipal.Principal(company.User, realm.Realm);
            (await RefusedAsync(client, user, ServicePrincipalName.Parse(company.Spn))).Code.ShouldBe(
                KerberosErrorCode.PreAuthenticationFailed);

            Write(file, Lab.Password);

            (await client.GetTicketAsync(user, ServicePrincipalName.Parse(company.Spn), Cancellation)).User.ShouldBe(user);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<KerberosException> RefusedAsync(S4UClient client, KerberosPrincipal user, ServicePrincipalName service) =>
        await Should.ThrowAsync<KerberosException>(async () => await client.GetTicketAsync(user, service, Cancellation));

    private static async Task<int> TriesAsync(LabCompany company)
    {
        var count = FailedLogOns()
            .Match(await Lab.RunScriptAsync(company.Realm.Part, ["kadmin", $"getprinc {company.Account}"], Cancellation));
        return int.Parse(count.Groups["count"].Value, CultureInfo.InvariantCulture);
    }

    private static void Write(string path, string password)
    {
        File.WriteAllText(path, password);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [GeneratedRegex("Failed password attempts: (?<count>[0-9]+)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FailedLogOns();
}
