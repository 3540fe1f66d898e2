using System.Text;
using System.Text.RegularExpressions;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that the KDC's implementation is recognized from its errors, and that a remedy then has only the commands of
/// it.</summary>
public sealed partial class DirectoryCommandTests
{
    private static readonly string[] Tools =
        ["Set-AD", "ktpass", "setspn", "samba-tool", "net ads", "ldbsearch", "kadmin.local", "kadmin -l"];

    [Theory]
    [InlineData(KerberosErrorCode.PreAuthenticationRequired, "NEEDED_PREAUTH", new[] { 136, 19, 2, 133 }, KdcSoftware.MitKrb5)]
    [InlineData(KerberosErrorCode.ClientRevoked, "CLIENT LOCKED OUT", new int[0], KdcSoftware.MitKrb5)]
    [InlineData(KerberosErrorCode.PreAuthenticationRequired, "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ",
        new[] { 16, 15, 147, 2, 138, 136, 19 }, KdcSoftware.Heimdal)]
    [InlineData(KerberosErrorCode.PreAuthenticationRequired, "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ", new[] { 16, 15, 2, 136, 19 },
        KdcSoftware.Samba)]
    [InlineData(KerberosErrorCode.PreAuthenticationRequired, "Need to use PA-ENC-TIMESTAMP/PA-PK-AS-REQ",
        new[] { 16, 15, 147, 2, 136, 655, 19 }, KdcSoftware.Samba)]
    [InlineData(KerberosErrorCode.PreAuthenticationRequired, null, new[] { 19, 2, 16, 15 }, KdcSoftware.ActiveDirectory)]
    [InlineData(KerberosErrorCode.ClientPrincipalUnknown, null, new int[0], KdcSoftware.Unknown)]
    public void The_text_and_the_offered_pre_authentication_show_the_implementation(
        KerberosErrorCode code, string? text, int[] offered, KdcSoftware expected) =>
        KdcErrorReply.ToException(Reply(code, text, MethodData(offered))).KdcSoftware.ShouldBe(expected);

    [Fact]
    public void An_NTSTATUS_shows_a_domain_controller() =>
        KdcErrorReply.ToException(
            Reply(KerberosErrorCode.ClientRevoked, null, KerbErrorData.Encode(NtStatusNames.AccountDisabled))).KdcSoftware
            .ShouldBe(KdcSoftware.DomainController);

    [Theory]
    [InlineData(KdcSoftware.Samba, KdcSoftware.Unknown, KdcSoftware.Samba)]
    [InlineData(KdcSoftware.Samba, KdcSoftware.DomainController, KdcSoftware.Samba)]
    [InlineData(KdcSoftware.ActiveDirectory, KdcSoftware.DomainController, KdcSoftware.ActiveDirectory)]
    [InlineData(KdcSoftware.Heimdal, KdcSoftware.DomainController, KdcSoftware.Samba)]
    [InlineData(KdcSoftware.Unknown, KdcSoftware.DomainController, KdcSoftware.DomainController)]
    [InlineData(KdcSoftware.DomainController, KdcSoftware.Samba, KdcSoftware.Samba)]
    public void A_later_answer_adds_to_what_is_known(KdcSoftware known, KdcSoftware seen, KdcSoftware expected) =>
        KdcSoftwareDetection.Combine(known, seen).ShouldBe(expected);

    [Theory]
    [InlineData(KdcSoftware.ActiveDirectory, "Set-AD", "ktpass", "setspn")]
    [InlineData(KdcSoftware.Samba, "samba-tool", "net ads", "ldbsearch")]
    [InlineData(KdcSoftware.MitKrb5, "kadmin.local")]
    [InlineData(KdcSoftware.Heimdal, "kadmin -l")]
    public void A_remedy_for_a_known_implementation_has_no_command_of_another(KdcSoftware software, params string[] own)
    {
        KerberosErrorCode[] codes =
        [
            KerberosErrorCode.BadOption, KerberosErrorCode.ClientExpired, KerberosErrorCode.ClientRevoked, KerberosErrorCode.KeyExpired,
                KerberosErrorCode.NullKey,
            KerberosErrorCode.EncryptionTypeNotSupported, KerberosErrorCode.ServiceExpired, KerberosErrorCode.ServiceRevoked,
                KerberosErrorCode.MustUseUserToUser,
            KerberosErrorCode.ServicePrincipalUnknown, KerberosErrorCode.ClientPrincipalUnknown,
        ];
        foreach (var code in codes)
        {
            foreach (var exchange in (KerberosExchange[])[KerberosExchange.LogOn, KerberosExchange.S4U2Self, KerberosExchange.S4U2Proxy])
            {
                var remedy = KcdException.Explain(
                    new KerberosException(Failure(software) with { Code = code, Exchange = exchange })).Remedy;

                Tools.Except(own).ShouldAllBe(tool => !remedy.Contains(tool, StringComparison.Ordinal), remedy);
                remedy.ShouldEndWith(".");
            }
        }
    }

    [Fact]
    public void The_delegation_list_of_Heimdal_and_of_MIT_is_changed_with_a_command()
    {
        Remedy(KdcSoftware.Heimdal)
            .ShouldContain("`kadmin -l modify --constrained-delegation=HTTP/erp.contoso.com@CONTOSO.COM 'svc-gateway'`");
        Remedy(KdcSoftware.MitKrb5)
            .ShouldContain(@"add: krbAllowedToDelegateTo\nkrbAllowedToDelegateTo: HTTP/erp.contoso.com@CONTOSO.COM\n' | ldapmodify -Y "
            + "EXTERNAL -H ldapi:///`");

        static string Remedy(KdcSoftware software) =>
            KcdException.Explain(
                new KerberosException(
                Failure(software) with { Code = KerberosErrorCode.BadOption, Exchange = KerberosExchange.S4U2Proxy })).Remedy;
    }

    [Fact]
    public void Commands_for_another_domain_name_the_domain_of_the_account_and_read_the_list_back()
    {
        var remedy = KcdException.Explain(new KerberosException(Failure(KdcSoftware.ActiveDirectory) with
        {
            Code = KerberosErrorCode.BadOption,
            NtStatus = NtStatusNames.CrossRealmDelegationFailure,
            Exchange = KerberosExchange.S4U2Proxy,
            Realm = "EU.CONTOSO.COM",
        })).Remedy;

        remedy.ShouldContain("(Get-ADUser 'svc-gateway' -Server contoso.com)");
        remedy.ShouldContain("`Get-ADComputer TARGET -Server TARGET-DOMAIN -Properties PrincipalsAllowedToDelegateToAccount`");
        remedy.ShouldContain("setspn -F -Q");
    }

    [Fact]
    public void Every_cmdlet_for_the_directory_names_the_domain_that_it_reads_or_changes()
    {
        foreach (var row in ErrorCatalogue.Rows)
        {
            var remedy = row.Remedy(new ErrorNames(new KerberosException(Failure(KdcSoftware.ActiveDirectory) with
            {
                Exchange = KerberosExchange.S4U2Proxy,
            })));
            foreach (var command in remedy.Split('`').Where((_, index) => index % 2 == 1))
                Cmdlets().Count(command).ShouldBe(Servers().Count(command), command);
        }
    }

    [Fact]
    public void A_cmdlet_names_the_domain_of_its_own_account_when_user_account_and_target_are_in_different_domains()
    {
        var failure = Failure(KdcSoftware.ActiveDirectory) with
        {
            Reason = KerberosFailureReason.EvidenceNotForwardable,
            Exchange = KerberosExchange.S4U2Proxy,
            Realm = "US.CONTOSO.COM",
            User = KerberosPrincipal.Principal("ada", "EU.CONTOSO.COM"),
            Service = ServicePrincipalName.Parse("HTTP/erp.us.contoso.com@US.CONTOSO.COM"),
        };
        var forwarding = KcdException.Explain(new KerberosException(failure)).Remedy;
        var target = KcdException.Explain(new KerberosException(failure with
        {
            Reason = KerberosFailureReason.KdcError,
            Code = KerberosErrorCode.ServiceExpired,
        })).Remedy;

        forwarding.ShouldContain("`Set-ADAccountControl -Identity 'svc-gateway' -Server contoso.com -TrustedToAuthForDelegation $true`");
        forwarding.ShouldContain("`Get-ADUser -Identity 'ada' -Server eu.contoso.com -Properties AccountNotDelegated, MemberOf`");
        forwarding.ShouldContain("`Set-ADAccountControl -Identity 'ada' -Server eu.contoso.com -AccountNotDelegated $false`");
        target.ShouldContain("`Clear-ADAccountExpiration -Identity TARGET -Server us.contoso.com`");
    }

    [Theory]
    [InlineData(KerberosExchange.S4U2Self, "EU.CONTOSO.COM", "eu.contoso.com")]
    [InlineData(KerberosExchange.S4U2Proxy, "CONTOSO.COM", "contoso.com")]
    [InlineData(KerberosExchange.S4U2Proxy, "US.CONTOSO.COM", "USER-DOMAIN")]
    public void The_domain_of_a_user_without_a_realm_is_named_only_where_it_is_known(
        KerberosExchange exchange, string realm, string domain) =>
        new ErrorNames(new KerberosException(Failure(KdcSoftware.ActiveDirectory) with
        {
            Exchange = exchange,
            Realm = realm,
            User = KerberosPrincipal.Enterprise("ada@contoso.com"),
        })).UserDns.ShouldBe(domain);

    [Fact]
    public void A_ticket_in_a_type_without_a_key_is_not_explained_as_a_changed_password()
    {
        var error = KcdException.Explain(new KerberosException(Failure(KdcSoftware.Heimdal) with
        {
            Reason = KerberosFailureReason.KeyUnavailable,
            Exchange = KerberosExchange.S4U2Self,
            KeySource = AccountKeySource.Password,
            Detail = "the KDC encrypts tickets to the account with Aes256CtsHmacSha196, and this client has no key of that type",
        }));

        error.Cause.ShouldStartWith("The KDC encrypts tickets to the account svc-gateway with an encryption type of which");
        error.Cause.ShouldNotContain("password");
        error.Remedy.ShouldContain("S4UClientOptions.EncryptionTypes");
    }

    [Fact]
    public void An_account_that_was_migrated_to_a_dMSA_is_recognized_by_the_e_data()
    {
        var error = KdcErrorReply.ToException(Reply(KerberosErrorCode.ClientRevoked, null, MethodData(170)));

        error.Reason.ShouldBe(KerberosFailureReason.AccountSuperseded);
        KcdException.Explain(error).Cause.ShouldContain("delegated managed service account (dMSA)");
    }

    [Fact]
    public void E_data_that_is_not_METHOD_DATA_is_ignored() =>
        PreAuthenticationOffer.Read(Reply(KerberosErrorCode.Generic, null, Encoding.ASCII.GetBytes("no DER"))).ShouldBeEmpty();

    internal static KerberosFailure Failure(KdcSoftware software) => new()
    {
        Realm = "CONTOSO.COM",
        Account = "svc-gateway",
        AccountRealm = "CONTOSO.COM",
        User = KerberosPrincipal.Principal("ada", "CONTOSO.COM"),
        Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com"),
        KdcSoftware = software,
    };

    [GeneratedRegex(@"\b[A-Z][a-z]+-AD[A-Z]\w+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Cmdlets();

    [GeneratedRegex(@" -Server [\w.-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Servers();

    private static byte[] MethodData(params int[] types) =>
        types.Length == 0 ? [] : PaData.EncodeMethodData(types.Select(type => new PaData((PaDataType)type, new byte[1])));

    private static KrbError Reply(KerberosErrorCode code, string? text, byte[] data) => new()
    {
        ServerTime = DateTimeOffset.UnixEpoch,
        Code = code,
        Realm = "CONTOSO.COM",
        Service = PrincipalName.TicketGranting("CONTOSO.COM"),
        Text = text,
        Data = data,
    };
}
