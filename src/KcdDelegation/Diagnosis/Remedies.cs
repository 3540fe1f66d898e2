namespace KcdDelegation.Diagnosis;

/// <summary>Remedies that several causes share, with the exact commands for Active Directory (PowerShell), Samba and MIT krb5.</summary>
/// <remarks>Commands are enclosed in backquotes. Words in upper case in them are placeholders for the reader to replace.</remarks>
internal static class Remedies
{
    /// <summary>The command that removes the cached tickets of every logon session of a Windows machine. A plain klist purge removes those of
    /// its own session only.</summary>
    public const string PurgeTickets = "Then remove the backend's cached tickets in all logon sessions: `Get-CimInstance Win32_LogonSession | "
        + "Where-Object AuthenticationPackage -ne NTLM | ForEach-Object { klist -li ('0x{0:x}' -f [long]$_.LogonId) purge }`.";

    /// <summary>Returns one step as a command for each directory.</summary>
    public static string Run(string activeDirectory, string samba, string mit) =>
        $"Active Directory `{activeDirectory}`; Samba `{samba}`; MIT krb5 `{mit}`.";

    /// <summary>MS-SFU §3.2.5.2: the account's own list (same domain), or the target's (any domain).</summary>
    public static string AllowDelegation(ErrorNames n) =>
        "Within one domain, add the SPN to the account's list: "
        + $"Active Directory `Set-{n.AccountCmdlet} -Identity {n.AccountQuoted} -Add @{{'msDS-AllowedToDelegateTo'={n.ServiceQuoted}}}`; "
        + $"Samba `samba-tool delegation add-service {n.AccountQuoted} {n.ServiceQuoted}`; "
        + $"MIT krb5 with LDAP: the attribute `krbAllowedToDelegateTo: {n.ServiceInRealm}` in the entry `(krbPrincipalName={n.AccountInRealm})`. "
        + "Across domains, or as an alternative, " + AllowOnTarget(n);

    /// <summary>Resource-based delegation: the list belongs to the target.</summary>
    public static string AllowOnTarget(ErrorNames n) =>
        $"allow the account on the target: `setspn -Q {n.ServiceQuoted}` lists the account that runs it, then Active Directory "
        + $"`Set-ADComputer -Identity TARGET -PrincipalsAllowedToDelegateToAccount (Get-{n.AccountCmdlet} {n.AccountQuoted})` (Set-ADUser if it is a user; "
        + $"the list is replaced, so include every account that must remain on it); Samba 4.19 or later `samba-tool delegation add-principal TARGET {n.AccountQuoted}`.";

    public static string AllowTransition(ErrorNames n) =>
        "Allow the account to use any authentication protocol: " + Run(
            $"Set-ADAccountControl -Identity {n.AccountQuoted} -TrustedToAuthForDelegation $true",
            $"samba-tool delegation for-any-protocol {n.AccountQuoted} on",
            $"kadmin.local modprinc +ok_to_auth_as_delegate {n.AccountQuoted}");

    public static string AllowUser(ErrorNames n) =>
        $"Check whether the user is sensitive or a member of Protected Users: `{n.GetUser} -Properties AccountNotDelegated, MemberOf`. "
        + "To allow delegation of this user: " + Run(
            $"Set-ADAccountControl -Identity {n.UserAccountQuoted} -AccountNotDelegated $false",
            $"samba-tool user sensitive {n.UserAccountQuoted} off",
            $"kadmin.local modprinc +allow_forwardable {n.UserAccountQuoted}");

    public static string TransitionOrUser(ErrorNames n) =>
        $"If it affects all users, the account lacks the right. {AllowTransition(n)} If it affects this user only, the user is protected. {AllowUser(n)}";

    /// <summary>Wrong paths are more common than missing files, so the path comes first.</summary>
    public static string FindKey(ErrorNames n) =>
        "First check that Kcd:ServiceAccount:Keytab (or PasswordFile) is the correct path, that this process can read the file, and that the "
        + $"keytab contains the account under exactly this name: `klist -ket connector.keytab`. Only then create a new one. {NewKeytab(n)}";

    /// <summary>ktpass sets the password unless told otherwise, and derives the salt itself; a computer's salt differs from a user's
    /// (MS-KILE §3.1.1.2). A client with a password asks the KDC for the salt.</summary>
    public static string NewKeytab(ErrorNames n) =>
        "Export the keytab again: " + Run(
            $"ktpass -princ {n.AccountInRealm} -mapuser {n.AccountQuoted} -ptype KRB5_NT_PRINCIPAL -crypto AES256-SHA1 -pass * -out connector.keytab",
            $"samba-tool domain exportkeytab connector.keytab --principal={n.AccountQuoted}",
            $"kadmin.local ktadd -norandkey -k connector.keytab {n.AccountQuoted}")
        + " ktpass resets the account's password to the one that it is given, and sets its user principal name; with `-setpass -setupn` it does neither, "
        + "and needs the current password of the account."
        + (n.AccountIsComputer ? " For a computer account, a file with its password (Kcd:ServiceAccount:PasswordFile) is the better choice. A computer that has "
            + "joined the domain changes its password itself and loses its trust if another program changes it." : "")
        + $" Compare the key versions: `kvno {n.AccountQuoted}` and `klist -ket connector.keytab`.";

    public static string FindService(ErrorNames n) =>
        $"Find the account that holds the SPN: `setspn -Q {n.ServiceQuoted}`. If there is none, register it on the account that runs the backend: " + Run(
            $"setspn -S {n.ServiceQuoted} TARGET",
            $"samba-tool spn add {n.ServiceQuoted} TARGET",
            $"kadmin.local addprinc -randkey {n.ServiceQuoted}")
        + " Use the name of the A record, not an alias.";

    public static string NameAccount(ErrorNames n) =>
        "Give the account a service principal name: " + Run(
            $"setspn -S HTTP/GATEWAY {n.AccountQuoted}",
            $"samba-tool spn add HTTP/GATEWAY {n.AccountQuoted}",
            $"kadmin.local modprinc +allow_svr {n.AccountQuoted}");

    public static string Clocks(ErrorNames n) =>
        $"Synchronize the clocks of this machine and of the KDCs by NTP (`w32tm /query /status`, `chronyc tracking`); the KDCs of {n.RealmDns} are the reference.";

    /// <summary>msDS-SupportedEncryptionTypes (MS-KILE §2.2.7): the bits 8 and 16 are AES.</summary>
    public static string DeclareAes(string cmdlet, string account) => "Declare that the account supports AES: " + Run(
        $"Set-{cmdlet} -Identity {account} -KerberosEncryptionType AES128,AES256",
        $"net ads enctypes set {account} 24 -U administrator",
        $"kadmin.local cpw -randkey -e aes256-cts:normal,aes128-cts:normal {account}");

    public static string EnableAes(string cmdlet, string account) =>
        $"{DeclareAes(cmdlet, account)} Then set a new password, which creates AES keys ("
        + $"Active Directory `Set-ADAccountPassword -Identity {account} -Reset`; Samba `samba-tool user setpassword {account}`), and export its keytab again.";

    public static string Network(ErrorNames n) =>
        $"Open TCP and UDP port 88 to the KDCs of {n.RealmDns} (`Test-NetConnection HOST -Port 88`), check DNS (`nslookup -type=SRV _kerberos._tcp.{n.RealmDns}`), "
        + "or list the KDCs under Kcd:Kdcs, and those of another realm under Kcd:Realms:REALM:Kdcs.";

    public static string UserLookup(ErrorNames n) =>
        $"Find the user: `{n.GetUser} -Server {n.RealmDns}`. If the directory has another name for this person, select another LoginIdentity, "
        + "or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.";

    public static string NameUser(ErrorNames n) =>
        $"{UserLookup(n)} To add this UPN to the directory: "
        + $"Active Directory `Set-ADUser -Identity '<sAMAccountName>' -UserPrincipalName {n.UserQuoted}`; Samba `samba-tool user rename '<sAMAccountName>' --upn={n.UserQuoted}`; "
        + $"MIT krb5 with LDAP: a further `krbPrincipalName: {n.UserAliasInRealm}` in the user's entry, and the first name as krbCanonicalName.";

    public static string EnableUser(ErrorNames n) => Enable(n.UserAccountQuoted);

    public static string EnableAccount(ErrorNames n) => Enable(n.AccountQuoted);

    public static string UnlockUser(ErrorNames n) => Unlock(n.UserAccountQuoted);

    public static string UnlockAccount(ErrorNames n) => Unlock(n.AccountQuoted);

    public static string ExtendUser(ErrorNames n) => Extend(n.UserAccountQuoted);

    public static string ExtendAccount(ErrorNames n) => Extend(n.AccountQuoted);

    public static string NewPassword(string account) => Run(
        $"Set-ADAccountPassword -Identity {account} -Reset",
        $"samba-tool user setpassword {account}",
        $"kadmin.local modprinc -pwexpire never {account}");

    public static string ReportBug(ErrorNames n) =>
        $"Check the log of the KDC of {n.RealmDns} that answered: the Security and System logs of a domain controller, or the log file of Samba or MIT krb5.";

    private static string Enable(string account) => "If this is not intended, enable the account: " + Run(
        $"Enable-ADAccount -Identity {account}",
        $"samba-tool user enable {account}",
        $"kadmin.local modprinc +allow_tix {account}");

    private static string Unlock(string account) => "Unlock the account: " + Run(
        $"Unlock-ADAccount -Identity {account}",
        $"samba-tool user unlock {account}",
        $"kadmin.local modprinc -unlock {account}");

    private static string Extend(string account) => "If this is not intended, extend the account: " + Run(
        $"Clear-ADAccountExpiration -Identity {account}",
        $"samba-tool user setexpiry {account} --noexpiry",
        $"kadmin.local modprinc -expire never {account}");
}
