using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Tests.Diagnosis;

public sealed class ErrorCatalogueTests
{
    public static TheoryData<int> Rows => new(Enumerable.Range(0, ErrorCatalogue.Rows.Count));

    [Theory]
    [MemberData(nameof(Rows))]
    public void Each_row_explains_the_errors_that_it_lists_and_no_earlier_row_matches_them(int index)
    {
        var row = ErrorCatalogue.Rows[index];
        // A row without exchanges is for those that no earlier row of its code has.
        bool IsFree(KerberosExchange exchange) =>
            !ErrorCatalogue.Rows.Take(index)
                .Any(earlier => earlier.Code == row.Code && earlier.NtStatus is null && earlier.When is null
                && earlier.In.Contains(exchange));
        foreach (var exchange in row.In.Count > 0 ? row.In
            : [((KerberosExchange[])[KerberosExchange.S4U2Proxy, KerberosExchange.Referral]).First(IsFree)])
        {
            var error = Satisfying(row.When, Error(row.Reason ?? KerberosFailureReason.KdcError, row.Code, exchange, row.NtStatus));

            ErrorCatalogue.Rows.First(candidate => candidate.Matches(error)).ShouldBeSameAs(row);
            var explained = KcdException.Explain(error);

            (explained.Stage, explained.EventId, explained.IsTransient).ShouldBe((row.Stage, row.EventId, false));
            explained.InnerException.ShouldBeSameAs(error);
            explained.Cause.ShouldMatch(@"^\S.+[^.]\. \[.+ in \w+ .+\]$");
            explained.Remedy.ShouldEndWith(".");
            explained.Message.ShouldContain(explained.Cause);
            explained.Message.ShouldContain(explained.Remedy);
            Balanced(explained.Remedy).ShouldBeTrue(explained.Remedy);
        }
    }

    [Fact]
    public void Every_code_and_every_reason_has_a_row_of_its_own()
    {
        Enum.GetValues<KerberosErrorCode>().Where(code => !ErrorCatalogue.Rows.Any(row => row.Code == code)).ShouldBeEmpty();
        Enum.GetValues<KerberosFailureReason>().Where(reason => !ErrorCatalogue.Rows.Any(row => row.Reason == reason)).ShouldBeEmpty();
    }

    [Fact]
    public void No_cause_starts_with_a_name_because_its_first_letter_becomes_upper_case()
    {
        foreach (var row in ErrorCatalogue.Rows)
        {
            var names = new ErrorNames(Error(KerberosFailureReason.KdcError, null, KerberosExchange.S4U2Proxy, null));

            char.IsLower(row.Cause(names)[0]).ShouldBeTrue(row.Cause(names));
            ((string[])["ada", "CONNECTOR$", "HTTP/", "CONTOSO"])
                .ShouldAllBe(name => !row.Cause(names).StartsWith(name, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Every_command_is_enclosed_in_backquotes()
    {
        foreach (var row in ErrorCatalogue.Rows)
        {
            var remedy = row.Remedy(new ErrorNames(Error(KerberosFailureReason.KdcError, null, KerberosExchange.S4U2Proxy, null)));
            var prose = string.Concat(remedy.Split('`').Where((_, index) => index % 2 == 0));

            (remedy.Count(c => c == '`') % 2).ShouldBe(0, remedy);
            ((string[])["samba-tool", "kadmin.local", "setspn -", "Set-ADU", "Get-AD", "Enable-AD"])
                .ShouldAllBe(command =>
                !prose.Replace("(Set-ADUser if", "", StringComparison.Ordinal).Contains(command, StringComparison.Ordinal), prose);
        }
    }

    [Fact]
    public void Commands_that_accept_no_realm_get_the_service_principal_name_without_its_realm()
    {
        var error = KcdException.Explain(new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.ServicePrincipalUnknown,
            Exchange = KerberosExchange.S4U2Proxy,
            Service = ServicePrincipalName.Parse("HTTP/erp.eu.contoso.com@EU.CONTOSO.COM"),
        }));

        error.Remedy.ShouldContain("`setspn -S 'HTTP/erp.eu.contoso.com' TARGET`");
        error.Cause.ShouldContain("HTTP/erp.eu.contoso.com@EU.CONTOSO.COM");
    }

    [Fact]
    public void Names_in_any_script_are_copied_into_commands()
    {
        var error = KcdException.Explain(new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.ClientExpired,
            Exchange = KerberosExchange.S4U2Self,
            User = KerberosPrincipal.Principal("加藤", "CONTOSO.COM"),
        }));

        error.Remedy.ShouldContain("`samba-tool user setexpiry '加藤' --noexpiry`");
    }

    [Fact]
    public void Every_row_has_a_complete_text_when_no_name_is_known()
    {
        foreach (var row in ErrorCatalogue.Rows)
        {
            var names = new ErrorNames(new KerberosException(new KerberosFailure()));

            row.Cause(names).ShouldNotContain("  ");
            row.Remedy(names).ShouldNotContain("''");
        }
    }

    [Fact]
    public void The_remedy_for_a_service_on_no_list_has_the_commands_for_both_lists()
    {
        var error = KcdException.Explain(
            Error(KerberosFailureReason.KdcError, KerberosErrorCode.BadOption, KerberosExchange.S4U2Proxy, NtStatusNames.NotFound));

        error.EventId.ShouldBe(13019);
        error.Cause.ShouldBe(
            "The delegation list of the account CONNECTOR$ does not contain the service HTTP/erp.contoso.com, and the service does not "
            + "allow the account to delegate to it. "
            + "[KDC_ERR_BADOPTION (NTSTATUS 0xC0000225) in S4U2Proxy for HTTP/erp.contoso.com as ada@contoso.com by CONNECTOR$ at "
                + "CONTOSO.COM, STATUS_NOT_FOUND]");
        error.Remedy.ShouldContain(
            "Set-ADComputer -Identity 'CONNECTOR$' -Server contoso.com -Add @{'msDS-AllowedToDelegateTo'='HTTP/erp.contoso.com'}");
        error.Remedy.ShouldContain("samba-tool delegation add-service 'CONNECTOR$' 'HTTP/erp.contoso.com'");
        error.Remedy.ShouldContain("-PrincipalsAllowedToDelegateToAccount (Get-ADComputer 'CONNECTOR$' -Server contoso.com)");
        error.Remedy.ShouldContain("setspn -F -Q 'HTTP/erp.contoso.com'");
    }

    [Theory]
    [InlineData(KerberosFailureReason.EvidenceNotForwardable, null)]
    [InlineData(KerberosFailureReason.KdcError, NtStatusNames.AccountRestriction)]
    public void The_remedy_for_evidence_that_is_not_forwardable_covers_both_causes(KerberosFailureReason reason, int? status)
    {
        var error = KcdException.Explain(Error(reason, KerberosErrorCode.BadOption, KerberosExchange.S4U2Proxy, status));

        error.Remedy.ShouldContain(
            "Get-ADUser -Filter \"UserPrincipalName -eq 'ada@contoso.com'\" -Server contoso.com -Properties AccountNotDelegated");
        error.Remedy.ShouldContain("Set-ADAccountControl -Identity 'CONNECTOR$' -Server contoso.com -TrustedToAuthForDelegation $true");
        error.Remedy.ShouldContain("samba-tool delegation for-any-protocol 'CONNECTOR$' on");
        error.Remedy.ShouldContain("kadmin.local modprinc +ok_to_auth_as_delegate 'CONNECTOR$'");
    }

    [Fact]
    public void An_account_that_is_a_user_is_changed_with_the_cmdlet_for_users()
    {
        var error = KcdException.Explain(new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.BadOption,
            NtStatus = NtStatusNames.NoMatch,
            Exchange = KerberosExchange.S4U2Proxy,
            Account = "svc-gw",
        }));

        error.Remedy.ShouldContain("Set-ADUser -Identity 'svc-gw'");
    }

    [Theory]
    [InlineData(KerberosErrorCode.ClientPrincipalUnknown, KerberosExchange.LogOn, KcdStage.Delegation, 12027, "cannot find the account "
        + "CONNECTOR$ in the realm CONTOSO.COM")]
    [InlineData(KerberosErrorCode.ClientPrincipalUnknown, KerberosExchange.S4U2Self, KcdStage.Identity, 13019, "cannot find the user "
        + "ada@contoso.com in the realm CONTOSO.COM")]
    [InlineData(KerberosErrorCode.ClientPrincipalUnknown, KerberosExchange.RealmDiscovery, KcdStage.Identity, 13019,
        "the user principal name of the user ada@contoso.com")]
    [InlineData(KerberosErrorCode.ServicePrincipalUnknown, KerberosExchange.S4U2Proxy, KcdStage.Delegation, 13019,
        "o account holds the SPN")]
    [InlineData(KerberosErrorCode.ServicePrincipalUnknown, KerberosExchange.Referral, KcdStage.Delegation, 13019, "here is no trust "
        + "from the realm CONTOSO.COM")]
    [InlineData(KerberosErrorCode.KeyExpired, KerberosExchange.LogOn, KcdStage.Delegation, 12027, " password of the account "
        + "CONNECTOR$ has expired")]
    [InlineData(KerberosErrorCode.KeyExpired, KerberosExchange.S4U2Proxy, KcdStage.Identity, 13019, " password of the user "
        + "ada@contoso.com has expired")]
    [InlineData(KerberosErrorCode.ClientRevoked, KerberosExchange.LogOn, KcdStage.Delegation, 12027, "the account CONNECTOR$: the "
        + "account is disabled")]
    [InlineData(KerberosErrorCode.ClientRevoked, KerberosExchange.S4U2Self, KcdStage.Identity, 13019, "of the user ada@contoso.com is "
        + "disabled")]
    [InlineData(KerberosErrorCode.Modified, KerberosExchange.MutualAuthentication, KcdStage.Target, 13022, "cannot decrypt the ticket")]
    [InlineData(KerberosErrorCode.Modified, KerberosExchange.S4U2Proxy, KcdStage.Delegation, 13019, "PAC signature")]
    [InlineData((KerberosErrorCode)99, KerberosExchange.S4U2Proxy, KcdStage.Delegation, 13019, "not in the catalogue")]
    public void The_explanation_of_a_code_depends_on_the_exchange(
        KerberosErrorCode code, KerberosExchange exchange, KcdStage stage, int eventId, string cause)
    {
        var error = KcdException.Explain(Error(KerberosFailureReason.KdcError, code, exchange, status: null));

        (error.Stage, error.EventId).ShouldBe((stage, eventId));
        error.Cause.ShouldContain(cause);
    }

    [Fact]
    public void A_backend_without_a_proof_has_the_event_that_the_handler_logs()
    {
        var error = KcdException.Explain(
            new KerberosException(
                new KerberosFailure
                {
                    Reason = KerberosFailureReason.ReplyRejected,
                    Exchange = KerberosExchange.MutualAuthentication,
                }));

        (error.Stage, error.EventId).ShouldBe((KcdStage.Target, KcdEventId.BackendNotProven));
    }

    [Fact]
    public void A_transient_error_is_marked_as_transient() => KcdException.Explain(new KerberosException(new KerberosFailure
    {
        Reason = KerberosFailureReason.KdcUnreachable,
        IsTransient = true,
    })).IsTransient.ShouldBeTrue();

    [Fact]
    public void Names_that_a_shell_could_interpret_are_not_copied_into_commands()
    {
        var error = KcdException.Explain(new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.ClientRevoked,
            NtStatus = NtStatusNames.AccountDisabled,
            Exchange = KerberosExchange.S4U2Self,
            User = KerberosPrincipal.Enterprise("o'brien;Remove-ADUser x@contoso.com"),
        }));

        error.Cause.ShouldContain("o'brien;Remove-ADUser x@contoso.com");
        error.Remedy.ShouldNotContain("Remove-ADUser");
        error.Remedy.ShouldContain("'<sAMAccountName>'");
    }

    [Fact]
    public void Text_from_a_KDC_is_never_printed_unchanged()
    {
        var error = KcdException.Explain(new KerberosException(new KerberosFailure
        {
            Code = KerberosErrorCode.Generic,
            Exchange = KerberosExchange.S4U2Self,
            Realm = "EVIL\r\n\u001b[31m",
            Detail = "the KDC says \"\r\nall is well\u202e\"" + new string('x', 5000),
        }));

        error.Message.Any(c => char.IsControl(c) || c == '\u202e').ShouldBeFalse();
        error.Message.Length.ShouldBeLessThan(1500);
    }

    [Theory]
    [InlineData(NtStatusNames.AccountDisabled, "STATUS_ACCOUNT_DISABLED")]
    [InlineData(NtStatusNames.CrossRealmDelegationFailure, "STATUS_CROSSREALM_DELEGATION_FAILURE")]
    [InlineData(unchecked((int)0xC0000388), "NTSTATUS 0xC0000388")]
    public void Statuses_are_printed_with_the_names_of_the_specification(int status, string name) =>
        NtStatusNames.Get(status).ShouldBe(name);

    private static KerberosException Error(KerberosFailureReason reason, KerberosErrorCode? code, KerberosExchange exchange, int? status) =>
        new(new KerberosFailure
    {
        Reason = reason,
        Code = code,
        Exchange = exchange,
        NtStatus = status,
        Realm = "CONTOSO.COM",
        AccountRealm = "CONTOSO.COM",
        Account = "CONNECTOR$",
        User = KerberosPrincipal.Enterprise("ada@contoso.com"),
        Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com"),
    });

    private static KerberosException Satisfying(RowCondition? condition, KerberosException error)
    {
        if (condition is null)
            return error;
        KerberosFailure[] candidates =
        [
            error.Failure with { User = KerberosPrincipal.Principal("CONNECTOR$", "CONTOSO.COM") },
            error.Failure with { Realm = "contoso.com" },
            error.Failure with { Realm = "EU.CONTOSO.COM" },
            error.Failure with { Service = ServicePrincipalName.Parse("HTTPS/erp.contoso.com") },
            error.Failure with { Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com:8443") },
            error.Failure with { KeySource = AccountKeySource.Password },
            error.Failure with { KeySource = AccountKeySource.Keytab },
            error.Failure with { KeySource = AccountKeySource.ManagedPassword },
            error.Failure with { Detail = "key is a blob of msDS-ManagedPassword" },
            error.Failure with { Detail = "ada@contoso.com is an alias of ada" },
            error.Failure with { Detail = "the KDC encrypts tickets with 18, and this client has no key of that type" },
            error.Failure with { KdcText = "NEEDED_HW_PREAUTH" },
            error.Failure with { KdcText = "NO HW PREAUTH" },
            error.Failure with { KdcText = "NO PREAUTH" },
            error.Failure with { KdcText = "SERVER LOCKED OUT" },
        ];
        return candidates.Select(candidate => new KerberosException(candidate))
            .Concat(Enum.GetValues<ManagedPasswordFailure>().Select(
                failure => new KerberosException(error.Failure, new ManagedPasswordException(failure, "for the test"))))
            .First(condition.IsTrue);
    }

    private static bool Balanced(string text) => text.Count(c => c == '(') == text.Count(c => c == ')');
}
