using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that failures that look alike are explained with their own cause and a remedy that does no harm.</summary>
public sealed class CauseTests
{
    private static KerberosFailure Failure => DirectoryCommandTests.Failure(KdcSoftware.Unknown);

    [Theory]
    [InlineData(KerberosExchange.LogOn, "no encryption type in common for the account svc-gateway", "'svc-gateway'")]
    [InlineData(KerberosExchange.S4U2Self, "tickets to the account svc-gateway with AES: the account is declared for RC4 only",
        "'svc-gateway'")]
    [InlineData(KerberosExchange.S4U2Proxy, "no AES key for the service HTTP/erp.contoso.com", "TARGET")]
    public void Missing_AES_keys_are_attributed_to_the_account_or_to_the_target(KerberosExchange exchange, string cause, string subject)
    {
        var explained = Explain(Failure with { Code = KerberosErrorCode.EncryptionTypeNotSupported, Exchange = exchange });

        explained.Cause.ShouldContain(cause);
        explained.Remedy.ShouldContain($"`net ads enctypes set {subject} 24 -U administrator`");
        explained.Remedy.ShouldContain("KB5073381");
    }

    [Theory]
    [InlineData(KerberosErrorCode.NoKey)]
    [InlineData(KerberosErrorCode.Modified)]
    public void A_backend_that_cannot_decrypt_an_AES_ticket_is_attributed_to_its_keytab(KerberosErrorCode code)
    {
        var explained = Explain(Failure with { Code = code, Exchange = KerberosExchange.MutualAuthentication });

        explained.Stage.ShouldBe(KcdStage.Target);
        explained.Cause.ShouldContain("RC4 keys only");
        explained.Remedy.ShouldContain("ForEach-Object { klist -li");
    }

    [Fact]
    public void An_account_whose_own_ticket_is_not_forwardable_is_not_blamed_on_the_user()
    {
        var explained = Explain(Failure with
        {
            Code = KerberosErrorCode.BadOption, Reason = KerberosFailureReason.AccountNotForwardable, Exchange = KerberosExchange.S4U2Self,
        });

        explained.Cause.ShouldContain("the account is sensitive or a member of Protected Users, or krbtgt is marked as sensitive");
        explained.Remedy.ShouldContain("`samba-tool user sensitive 'svc-gateway' off`");
        explained.Remedy.ShouldNotContain("'ada'");
    }

    [Fact]
    public void A_required_smart_card_is_named()
    {
        var explained = Explain(Failure with
        {
            Code = KerberosErrorCode.Policy, NtStatus = NtStatusNames.SmartCardLogonRequired, Exchange = KerberosExchange.LogOn,
        });

        explained.Cause.ShouldContain("STATUS_SMARTCARD_LOGON_REQUIRED");
        explained.Remedy.ShouldContain("-SmartcardLogonRequired $false");
    }

    [Fact]
    public void A_policy_error_for_the_target_says_that_the_user_may_be_disabled()
    {
        var explained = Explain(Failure with { Code = KerberosErrorCode.Policy, Exchange = KerberosExchange.S4U2Proxy });

        explained.Cause.ShouldContain("the user's account was disabled after its evidence ticket was issued");
        explained.Remedy.ShouldContain("`samba-tool user enable 'ada'`");
    }

    [Theory]
    [InlineData(KerberosFailureReason.KeyUnavailable, KerberosExchange.S4U2Self, null)]
    [InlineData(KerberosFailureReason.KeyUnavailable, KerberosExchange.Configuration, null)]
    [InlineData(KerberosFailureReason.KeyRejected, KerberosExchange.LogOn, null)]
    [InlineData(KerberosFailureReason.KdcError, KerberosExchange.LogOn, KerberosErrorCode.PreAuthenticationFailed)]
    public void An_account_with_a_password_file_is_not_told_to_export_a_keytab(
        KerberosFailureReason reason, KerberosExchange exchange, KerberosErrorCode? code)
    {
        var explained = Explain(Failure with { Reason = reason, Code = code, Exchange = exchange, KeySource = AccountKeySource.Password });

        explained.Remedy.ShouldContain("Kcd:ServiceAccount:PasswordFile");
        explained.Remedy.ShouldNotContain("ktpass");
        explained.Cause.ShouldNotContain("than the keytab");
    }

    [Theory]
    [InlineData(KerberosFailureReason.KeyUnavailable, null)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.PreAuthenticationFailed)]
    public void ktpass_is_never_printed_in_the_form_that_resets_the_password(KerberosFailureReason reason, KerberosErrorCode? code)
    {
        var explained = Explain(
            Failure with { Reason = reason, Code = code, Exchange = KerberosExchange.LogOn, KeySource = AccountKeySource.Keytab });

        explained.Remedy.ShouldContain("-setpass -setupn -pass *");
        explained.Remedy.ShouldNotStartWith("Active Directory `ktpass");
    }

    [Fact]
    public void A_rejected_keytab_is_also_explained_by_its_salt() =>
        Explain(Failure with { Code = KerberosErrorCode.PreAuthenticationFailed, Exchange = KerberosExchange.LogOn,
            KeySource = AccountKeySource.Keytab }).Remedy
            .ShouldContain("If the versions agree, the keytab was created with another salt");

    [Fact]
    public void A_blob_of_msDS_ManagedPassword_is_named()
    {
        using var account = ServiceAccount.FromPasswordFile("gmsa$", BlobFile());

        var error = Should.Throw<KerberosException>(
            () => account.Keys.Refresh(Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));

        error.Reason.ShouldBe(KerberosFailureReason.KeyUnavailable);
        KcdException.Explain(error).Cause.ShouldContain("contains msDS-ManagedPassword");
    }

    [Theory]
    [InlineData("NEEDED_HW_PREAUTH", "`kadmin.local modprinc -requires_hwauth 'svc-gateway'`")]
    [InlineData("NEEDED_PREAUTH", "disable_encrypted_timestamp")]
    public void A_KDC_that_accepts_no_encrypted_timestamp_is_not_answered_with_a_new_password(string text, string remedy)
    {
        var explained = Explain(Failure with
        {
            Code = KerberosErrorCode.PreAuthenticationRequired, Reason = KerberosFailureReason.PreAuthenticationNotSupported,
            Exchange = KerberosExchange.LogOn, KdcText = text,
        });

        explained.Remedy.ShouldContain(remedy);
        ((string[])["cpw", "Set-ADAccountPassword", "setpassword", "enctypes"])
            .ShouldAllBe(harmful => !explained.Remedy.Contains(harmful, StringComparison.Ordinal));
    }

    [Fact]
    public void A_realm_of_the_user_without_an_alias_for_the_account_is_named()
    {
        var explained = Explain(
            Failure with { Code = KerberosErrorCode.ServicePrincipalUnknown, Exchange = KerberosExchange.S4U2Self, Realm = "PARTNER.COM" });

        explained.Cause.ShouldContain("in the realm PARTNER.COM has no alias for the account svc-gateway");
        explained.Remedy.ShouldContain("krbPrincipalName: svc-gateway@CONTOSO.COM@PARTNER.COM");
    }

    [Theory]
    [InlineData("HTTPS/erp.contoso.com", "the class of web services is HTTP")]
    [InlineData("HTTP/erp.contoso.com:8443", "without a port")]
    public void An_unusual_SPN_is_corrected_and_not_registered(string spn, string cause)
    {
        var explained = Explain(Failure with
        {
            Code = KerberosErrorCode.ServicePrincipalUnknown, Exchange = KerberosExchange.S4U2Proxy,
                Service = ServicePrincipalName.Parse(spn),
        });

        explained.Cause.ShouldContain(cause);
        explained.Remedy.ShouldContain("usually 'HTTP/erp.contoso.com'");
        explained.Remedy.ShouldNotContain("setspn -S");
    }

    [Fact]
    public void The_delegating_account_as_the_user_is_named()
    {
        var explained = Explain(Failure with
        {
            Reason = KerberosFailureReason.IdentityMismatch, Exchange = KerberosExchange.S4U2Self,
                User = KerberosPrincipal.Principal("svc-gateway", "CONTOSO.COM"),
        });

        explained.Cause.ShouldStartWith("The user is the delegating account itself");
        explained.Remedy.ShouldNotContain("Get-ADUser");
    }

    [Fact]
    public void A_user_that_the_KDC_finds_under_another_name_is_named_by_both_and_no_attacker_is_suspected()
    {
        var explained = Explain(Failure with
        {
            Reason = KerberosFailureReason.IdentityMismatch, Exchange = KerberosExchange.S4U2Self, Realm = "PARTNER.COM",
            Detail = "the request was for joed@contoso.local@PARTNER.COM, but the KDC answered for the account jd1001@PARTNER.COM; "
                + "joed@contoso.local is an alias of jd1001",
        });

        explained.Cause.ShouldContain("joed@contoso.local is an alias of jd1001");
        explained.Remedy.ShouldStartWith("Name the user by the account's own name");
        explained.Remedy.ShouldNotContain("port 88");
    }

    [Fact]
    public void A_realm_in_lower_case_is_corrected() =>
        Explain(Failure with { Code = KerberosErrorCode.ClientPrincipalUnknown, Exchange = KerberosExchange.LogOn,
            Realm = "contoso.com" }).Remedy
            .ShouldBe("Set Kcd:Realm to CONTOSO.COM.");

    [Theory]
    [InlineData(KerberosErrorCode.Generic, NtStatusNames.TooManyContextIds, KerberosExchange.S4U2Self, "more than 1,010 groups")]
    [InlineData(KerberosErrorCode.FieldTooLong, null, KerberosExchange.S4U2Proxy, "KRB_ERR_FIELD_TOOLONG")]
    [InlineData(KerberosErrorCode.ServiceExpired, null, KerberosExchange.S4U2Proxy, "KDC_ERR_SERVICE_EXP")]
    [InlineData(KerberosErrorCode.ServiceRevoked, null, KerberosExchange.S4U2Proxy, "KDC_ERR_SERVICE_REVOKED")]
    [InlineData(KerberosErrorCode.Modified, null, KerberosExchange.S4U2Proxy, "different patch levels")]
    [InlineData(KerberosErrorCode.ClientPrincipalUnknown, null, KerberosExchange.S4U2Self, "read the user's group memberships")]
    [InlineData(KerberosErrorCode.BadOption, NtStatusNames.AccessDenied, KerberosExchange.S4U2Self, "read the group memberships of the "
        + "user ada")]
    public void Causes_that_administrators_had_have_a_row(KerberosErrorCode code, int? status, KerberosExchange exchange, string cause) =>
        Explain(Failure with { Code = code, NtStatus = status, Exchange = exchange }).Cause.ShouldContain(cause);

    [Theory]
    [InlineData(KerberosFailureReason.KdcUnreachable, null)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.Policy)]
    public void A_sensor_that_admits_listed_addresses_only_is_mentioned(KerberosFailureReason reason, KerberosErrorCode? code) =>
        Explain(Failure with { Reason = reason, Code = code, Exchange = KerberosExchange.S4U2Proxy }).Remedy.ShouldContain(
            "SourceIPAllowList");

    [Fact]
    public void A_superseded_account_and_the_Windows_Authorization_Access_Group_have_commands()
    {
        Explain(Failure with { Reason = KerberosFailureReason.AccountSuperseded, Exchange = KerberosExchange.LogOn }).Remedy
            .ShouldContain("Undo-ADServiceAccountMigration");
        Explain(Failure with { Code = KerberosErrorCode.ClientPrincipalUnknown, Exchange = KerberosExchange.S4U2Self }).Remedy
            .ShouldContain(
                "Add-ADGroupMember 'Windows Authorization Access Group' -Server contoso.com "
                    + "-Members (Get-ADUser 'svc-gateway' -Server contoso.com)");
    }

    private static KcdException Explain(KerberosFailure failure) => KcdException.Explain(new KerberosException(failure));

    private static string BlobFile()
    {
        // MS-ADTS §2.2.19: version 1, reserved, length, offsets, then random bytes.
        var blob = new byte[0x122];
        Array.Fill(blob, (byte)0xC3);
        new byte[] { 1, 0, 0, 0, 0x22, 1, 0, 0 }.CopyTo(blob, 0);
        var path = Path.Combine(Directory.CreateTempSubdirectory("kcd").FullName, "gmsa.password");
        File.WriteAllBytes(path, blob);
        return path;
    }
}
