using System.Text;
using KcdDelegation.Diagnosis;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>Names of the directory in commands that an administrator copies.</summary>
public sealed class AccountRecordTests
{
    [Theory]
    [InlineData("svc-web", "'svc-web'")]
    [InlineData("conncomp$", "'conncomp$'")]
    [InlineData("a'; reboot; '", "'<ACCOUNT>'")]
    [InlineData("a`reboot`", "'<ACCOUNT>'")]
    [InlineData("a b", "'<ACCOUNT>'")]
    public void A_name_that_a_shell_could_interpret_is_in_no_command(string name, string quoted)
    {
        using var entry = new LdapEntry("CN=x", []);
        entry.Add("sAMAccountName", [Encoding.UTF8.GetBytes(name)]);
        var record = AccountRecord.Read(entry, DateTimeOffset.UnixEpoch).ShouldNotBeNull();

        record.Quoted.ShouldBe(quoted);
        var names = new ErrorNames(new KerberosException(new KerberosFailure { KdcSoftware = KdcSoftware.Samba }));
        RemedyCommands.From(GroupCommands.Remove(names, "contoso.com", GroupCommands.ProtectedUsers, record))
            .ShouldBe([new DoctorCommand("Samba", $"samba-tool group removemembers 'Protected Users' {quoted}")]);
    }

    [Fact]
    public void The_flags_with_pre_authentication_required_keep_the_other_flags()
    {
        using var entry = new LdapEntry("CN=x", []);
        entry.Add("sAMAccountName", ["svc-gateway"u8.ToArray()]);
        entry.Add("userAccountControl", ["20972032"u8.ToArray()]);
        var record = AccountRecord.Read(entry, DateTimeOffset.UnixEpoch).ShouldNotBeNull();

        record.NeedsNoPreAuthentication.ShouldBeTrue();
        record.ControlWithPreAuthentication.ShouldBe(0x200 | 0x100_0000);
    }
}
