using KcdDelegation.Tool.Settings;

namespace KcdDelegation.Tool.Tests;

public sealed class OptionNamesTests
{
    [Theory]
    [InlineData("Check that Kcd:ServiceAccount:Keytab (or PasswordFile) is the path.", "Check that --keytab (or --password-file) is the "
        + "path.")]
    [InlineData("Set Kcd:ServiceAccount:Name and Kcd:Realm.", "Set --account and --realm.")]
    [InlineData("a file with its password (Kcd:ServiceAccount:PasswordFile)", "a file with its password (--password-file)")]
    [InlineData("or add a KDC under Kcd:Kdcs.", "or add a KDC with --kdc.")]
    [InlineData(
        "or list the KDCs under Kcd:Kdcs, and those of another realm under Kcd:Realms:REALM:Kdcs.",
        "or list the KDCs with --kdc, and those of another realm with --kdc REALM=HOST.")]
    [InlineData(
        "select another LoginIdentity, or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.",
        "select that name with --user, or specify the user's realm with --user-realm.")]
    public void Settings_keys_become_options(string message, string expected) => OptionNames.ReplaceKeys(message).ShouldBe(expected);

    [Fact]
    public void Every_settings_key_in_the_catalogue_has_an_option()
    {
        var failures =
            from reason in Enum.GetValues<Kerberos.KerberosFailureReason>()
            from code in Enum.GetValues<Kerberos.KerberosErrorCode>().Select(code => (Kerberos.KerberosErrorCode?)code).Append(null)
            from exchange in Enum.GetValues<Kerberos.KerberosExchange>()
            let error = new Kerberos.KerberosException(new Kerberos.KerberosFailure
            {
                Code = code, Reason = reason, Exchange = exchange, Realm = "R.TEST", Account = "GW$",
                User = Kerberos.KerberosPrincipal.Principal("ada", "R.TEST"), Service = Kerberos.ServicePrincipalName.Parse("HTTP/app"),
            })
            let explained = KcdException.Explain(error)
            select (Original: explained.Remedy + explained.Cause, Shown: OptionNames.ReplaceKeys(explained.Remedy + explained.Cause));
        var texts = failures.Distinct().ToList();

        texts.Count(text => text.Original.Contains("Kcd:", StringComparison.Ordinal)).ShouldBeGreaterThan(5);
        texts.ShouldAllBe(text => !text.Shown.Contains("Kcd:", StringComparison.Ordinal));
    }
}
