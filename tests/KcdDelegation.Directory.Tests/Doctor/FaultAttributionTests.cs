using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>The check that is responsible for a failed log-on, and the parts of findings that are read from other sources.</summary>
public sealed class FaultAttributionTests
{
    [Theory]
    [InlineData(KerberosFailureReason.KdcNotFound, null, CheckIds.AccountLogOn)]
    [InlineData(KerberosFailureReason.KdcUnreachable, null, CheckIds.AccountLogOn)]
    [InlineData(KerberosFailureReason.ReplyRejected, null, CheckIds.AccountLogOn)]
    [InlineData(KerberosFailureReason.Overloaded, null, CheckIds.AccountLogOn)]
    [InlineData(KerberosFailureReason.KeyUnavailable, null, CheckIds.KeyFile)]
    [InlineData(KerberosFailureReason.EncryptionTypeRefused, null, CheckIds.AccountKeys)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.EncryptionTypeNotSupported, CheckIds.AccountKeys)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.PreAuthenticationFailed, CheckIds.KeyCurrent)]
    [InlineData(KerberosFailureReason.KeyRejected, KerberosErrorCode.PreAuthenticationFailed, CheckIds.KeyCurrent)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.ClientPrincipalUnknown, CheckIds.AccountKnown)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.WrongRealm, CheckIds.AccountKnown)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.Skew, CheckIds.KdcClock)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.ClientRevoked, CheckIds.AccountState)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.KeyExpired, CheckIds.AccountState)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.Policy, CheckIds.AccountState)]
    [InlineData(KerberosFailureReason.AccountSuperseded, KerberosErrorCode.PreAuthenticationRequired, CheckIds.AccountState)]
    [InlineData(KerberosFailureReason.KdcError, KerberosErrorCode.Generic, CheckIds.AccountLogOn)]
    public void A_failed_log_on_has_one_responsible_check(KerberosFailureReason reason, KerberosErrorCode? code, string check)
    {
        var error = new KerberosException(new KerberosFailure { Reason = reason, Code = code, Exchange = KerberosExchange.LogOn });
        FaultAttribution.OfLogOn(error).ShouldBe(check);
        DelegationDoctor.Checks.ShouldContain(each => each.Id == check);
    }

    [Theory]
    [InlineData(KerberosFailureReason.KdcNotFound, CheckIds.KdcNames)]
    [InlineData(KerberosFailureReason.KdcUnreachable, CheckIds.KdcTcp)]
    [InlineData(KerberosFailureReason.ReplyRejected, CheckIds.AccountLogOn)]
    public void The_checks_of_the_KDCs_are_responsible_only_if_no_KDC_answers(KerberosFailureReason reason, string check)
    {
        var error = new KerberosException(new KerberosFailure { Reason = reason, Exchange = KerberosExchange.LogOn });
        FaultAttribution.OfLogOn(error, isAnswering: false).ShouldBe(check);
    }

    [Fact]
    public void Every_error_of_a_log_on_has_a_check_that_exists()
    {
        foreach (var code in Enum.GetValues<KerberosErrorCode>())
        {
            var error = new KerberosException(new KerberosFailure { Code = code, Exchange = KerberosExchange.LogOn });
            DelegationDoctor.Checks.ShouldContain(check => check.Id == FaultAttribution.OfLogOn(error), code.ToString());
        }
    }

    [Fact]
    public void Commands_of_a_remedy_have_their_system_and_those_that_only_show_something_are_left_out()
    {
        var commands = RemedyCommands.From(
            "Check it: Active Directory `Get-ADUser 'ada'`. Allow it: Active Directory `Set-ADUser 'ada' -X $true`; Samba `samba-tool "
                + "user x 'ada'`. "
            + "Set `Kcd:Realm`, then run `chmod 600 'a.keytab'`.");
        commands.ShouldBe(
        [
            new DoctorCommand("Active Directory", "Set-ADUser 'ada' -X $true"), new DoctorCommand("Samba", "samba-tool user x 'ada'"),
            new DoctorCommand(null, "chmod 600 'a.keytab'"),
        ]);
    }
}
