using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The commands that add a target to the account's delegation list.</summary>
internal static class DelegationListCommands
{
    private const string Ldap = "-Q -Y EXTERNAL -H ldapi:///";

    /// <summary>Prints the base of the database, because ldap.conf may have none.</summary>
    private const string Base =
        $"ldapsearch -LLL {Ldap} -s base -b '' namingContexts | sed -n 's/^namingContexts: //p' | head -n 1";

    /// <summary>Returns the remedy. For MIT krb5 it is one command that finds the entry itself, so that nothing has to be filled
    /// in.</summary>
    public static string Allow(ErrorNames n) => n.Software == KdcSoftware.MitKrb5
        ? "Add the SPN to the account's list, in a database with LDAP: MIT krb5 `printf 'dn: %s\\nchangetype: modify\\n"
            + $"add: krbAllowedToDelegateTo\\nkrbAllowedToDelegateTo: {n.ServiceInRealm}\\n' "
            + $"\"$(ldapsearch -LLL -o ldif-wrap=no {Ldap} -b \"$({Base})\" '(krbPrincipalName={n.AccountInRealm})' dn | sed -n 's/^dn: "
                + $"//p')\" "
            + $"| ldapmodify {Ldap}`."
        : "Add the SPN to the account's list: " + Remedies.Run(
            n,
            $"Set-{n.AccountCmdlet} -Identity {n.AccountQuoted} -Server {n.AccountDns} "
                + $"-Add @{{'msDS-AllowedToDelegateTo'={n.ServiceQuoted}}}",
            $"samba-tool delegation add-service {n.AccountQuoted} {n.ServiceQuoted}",
            "",
            $"kadmin -l modify --constrained-delegation={n.ServiceInRealm} {n.AccountQuoted}")
        + (n.Software == KdcSoftware.Heimdal ? " The list is replaced: repeat the option for every target." : "");
}
