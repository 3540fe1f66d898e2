using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>The check that is responsible for a failed log-on, and the parts of findings that are read from other sources.</summary>
public sealed class FaultAttributionTests
{
    [Theory]
    [InlineData(KerberosFailureReason.KdcNotFound, null, CheckIds.KdcNames)]
    [InlineData(KerberosFailureReason.KdcUnreachable, null, CheckIds.KdcTcp)]
    [InlineData(KerberosFailureReason.ReplyRejected, null, CheckIds.KdcTcp)]
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

    [Fact]
    public void The_accounts_of_a_security_descriptor_are_read_and_a_truncated_one_allows_no_further_account()
    {
        // Self-relative, with a discretionary list of two entries: one that allows and one that denies.
        var first = Accounts.SecurityIdentifiers.Parse("S-1-5-21-1-2-3-1104");
        var second = Accounts.SecurityIdentifiers.Parse("S-1-5-21-1-2-3-1105");
        byte[] allow = [0, 0, (byte)(8 + first.Length), 0, 0xff, 1, 0xf, 0, .. first];
        byte[] deny = [1, 0, (byte)(8 + second.Length), 0, 0xff, 1, 0xf, 0, .. second];
        byte[] list = [2, 0, (byte)(8 + allow.Length + deny.Length), 0, 2, 0, 0, 0, .. allow, .. deny];
        byte[] descriptor = [1, 0, 4, 0x80, .. new byte[12], 20, 0, 0, 0, .. list];

        AllowedAccounts.Read(descriptor).ShouldBe(["S-1-5-21-1-2-3-1104"]);
        for (var length = 0; length < descriptor.Length; length++)
            AllowedAccounts.Read(descriptor.AsSpan(0, length)).ShouldBeEmpty();
    }
}
