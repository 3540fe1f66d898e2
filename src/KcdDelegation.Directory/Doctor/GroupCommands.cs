using KcdDelegation.Diagnosis;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The commands that change the members of a group.</summary>
internal static class GroupCommands
{
    public const string ProtectedUsers = "Protected Users";

    /// <param name="names">The names of the finding.</param>
    /// <param name="domain">The DNS name of the domain of the group.</param>
    /// <param name="group">The name of the group, which the directory defines.</param>
    /// <param name="member">The account to remove.</param>
    public static string Remove(ErrorNames names, string domain, string group, AccountRecord member) => Remedies.Run(
        names,
        $"Remove-ADGroupMember '{group}' -Server {domain} -Members {member.Quoted} -Confirm:$false",
        $"samba-tool group removemembers '{group}' {member.Quoted}", "", "");
}
