namespace KcdDelegation.Diagnosis;

/// <summary>Remedies that more than one cause shares: the exact commands for Active Directory (PowerShell), Samba and MIT krb5, since the
/// client cannot know which of them answers. Commands stand between backquotes; words in capitals in them are for the reader to fill in.</summary>
internal static class Remedies
{
    /// <summary>One step in the words of each software.</summary>
    public static string Run(string activeDirectory, string samba, string mit) =>
        $"Active Directory `{activeDirectory}`; Samba `{samba}`; MIT krb5 `{mit}`.";

    /// <summary>MS-SFU §3.2.5.2: the account's own list (same domain), or the target's (any domain).</summary>
    public static string AllowDelegation(ErrorNames n) =>
        "In one domain, put the SPN on the account's list: "
        + $"Active Directory `Set-{n.AccountCmdlet} -Identity {n.AccountQuoted} -Add @{{'msDS-AllowedToDelegateTo'={n.ServiceQuoted}}}`; "
        + $"Samba `samba-tool delegation add-service {n.AccountQuoted} {n.ServiceQuoted}`; "
        + $"MIT krb5 with LDAP: the attribute `krbAllowedToDelegateTo: {n.ServiceInRealm}` in the entry `(krbPrincipalName={n.AccountInRealm})`. "
        + "Across domains, or by choice, " + AllowOnTarget(n);

    /// <summary>Resource-based: the list is the target's.</summary>
    public static string AllowOnTarget(ErrorNames n) =>
        $"let the target trust the account: `setspn -Q {n.ServiceQuoted}` names the account that runs it, then Active Directory "
        + $"`Set-ADComputer -Identity TARGET -PrincipalsAllowedToDelegateToAccount (Get-{n.AccountCmdlet} {n.AccountQuoted})` (Set-ADUser if it is a user; "
        + $"the list is replaced, so name all who are to be on it); Samba 4.19 or later `samba-tool delegation add-principal TARGET {n.AccountQuoted}`.";

    public static string AllowTransition(ErrorNames n) =>
        "Let the account use any authentication protocol: " + Run(
            $"Set-ADAccountControl -Identity {n.AccountQuoted} -TrustedToAuthForDelegation $true",
            $"samba-tool delegation for-any-protocol {n.AccountQuoted} on",
            $"kadmin.local modprinc +ok_to_auth_as_delegate {n.AccountQuoted}");

    public static string AllowUser(ErrorNames n) =>
        $"See whether the user is sensitive or in Protected Users: `{n.GetUser} -Properties AccountNotDelegated, MemberOf`. If he shall be delegated: " + Run(
            $"Set-ADAccountControl -Identity {n.UserAccountQuoted} -AccountNotDelegated $false",
            $"samba-tool user sensitive {n.UserAccountQuoted} off",
            $"kadmin.local modprinc +allow_forwardable {n.UserAccountQuoted}");

    public static string TransitionOrUser(ErrorNames n) =>
        $"If it happens to all users, the account lacks the right. {AllowTransition(n)} If it happens to this one only, he is protected. {AllowUser(n)}";

    /// <summary>A path is mistyped more often than a file is lost.</summary>
    public static string FindKey(ErrorNames n) =>
        "See first that Kcd:ServiceAccount:Keytab (or PasswordFile) is the right path, that this process may read the file, and that the "
        + $"keytab has the account under this very name: `klist -ket connector.keytab`. Only then make another. {NewKeytab(n)}";

    /// <summary>ktpass sets the password unless it is told not to, and works the salt of the key out by itself; a computer's is another than a
    /// user's (MS-KILE §3.1.1.2). A client with a password asks the KDC for the salt.</summary>
    public static string NewKeytab(ErrorNames n) =>
        "Write the keytab again: " + Run(
            $"ktpass -princ {n.AccountInRealm} -mapuser {n.AccountQuoted} -ptype KRB5_NT_PRINCIPAL -crypto AES256-SHA1 -pass * -out connector.keytab",
            $"samba-tool domain exportkeytab connector.keytab --principal={n.AccountQuoted}",
            $"kadmin.local ktadd -norandkey -k connector.keytab {n.AccountQuoted}")
        + " ktpass resets the account's password to the one that it is given, and sets its user principal name; with `-setpass -setupn` it does neither, "
        + "and must be given the password that the account has."
        + (n.AccountIsComputer ? " For a computer account, rather name a file with its password as Kcd:ServiceAccount:PasswordFile; a computer that has joined "
            + "the domain changes its password itself and loses its trust if somebody else does." : "")
        + $" Compare the key versions: `kvno {n.AccountQuoted}` and `klist -ket connector.keytab`.";

    public static string FindService(ErrorNames n) =>
        $"See who holds it: `setspn -Q {n.ServiceQuoted}`. If nobody does, register it on the account that runs the backend: " + Run(
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
        $"Set this machine's and the KDCs' clocks by NTP (`w32tm /query /status`, `chronyc tracking`); the KDCs of {n.RealmDns} are the measure.";

    /// <summary>msDS-SupportedEncryptionTypes (MS-KILE §2.2.7): 8 and 16 are AES.</summary>
    public static string DeclareAes(string cmdlet, string account) => "Declare that the account can use AES: " + Run(
        $"Set-{cmdlet} -Identity {account} -KerberosEncryptionType AES128,AES256",
        $"net ads enctypes set {account} 24",
        $"kadmin.local cpw -randkey -e aes256-cts:normal,aes128-cts:normal {account}");

    public static string EnableAes(string cmdlet, string account) =>
        $"{DeclareAes(cmdlet, account)} Then set a new password, which makes AES keys ("
        + $"Active Directory `Set-ADAccountPassword -Identity {account} -Reset`; Samba `samba-tool user setpassword {account}`), and write its keytab again.";

    public static string Network(ErrorNames n) =>
        $"Open TCP and UDP port 88 to the KDCs of {n.RealmDns} (`Test-NetConnection HOST -Port 88`), look at DNS (`nslookup -type=SRV _kerberos._tcp.{n.RealmDns}`), "
        + "or list them under Kcd:Kdcs, those of another realm under Kcd:Realms:REALM:Kdcs.";

    public static string UserLookup(ErrorNames n) =>
        $"Look the user up: `{n.GetUser} -Server {n.RealmDns}`. If the directory has another name for this person, choose another LoginIdentity, "
        + "or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.";

    public static string NameUser(ErrorNames n) =>
        $"{UserLookup(n)} If the directory shall know this UPN: "
        + $"Active Directory `Set-ADUser -Identity '<sAMAccountName>' -UserPrincipalName {n.UserQuoted}`; Samba `samba-tool user rename '<sAMAccountName>' --upn={n.UserQuoted}`; "
        + $"MIT krb5 with LDAP: a further `krbPrincipalName: {n.UserAliasInRealm}` in the user's entry, beside his first name as krbCanonicalName.";

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
        $"Look into the log of the KDC of {n.RealmDns} that answered (the Security and System logs of a domain controller; on Samba and MIT krb5 its log file).";

    private static string Enable(string account) => "If that is wrong, enable it: " + Run(
        $"Enable-ADAccount -Identity {account}",
        $"samba-tool user enable {account}",
        $"kadmin.local modprinc +allow_tix {account}");

    private static string Unlock(string account) => "Unlock it: " + Run(
        $"Unlock-ADAccount -Identity {account}",
        $"samba-tool user unlock {account}",
        $"kadmin.local modprinc -unlock {account}");

    private static string Extend(string account) => "If that is wrong, extend it: " + Run(
        $"Clear-ADAccountExpiration -Identity {account}",
        $"samba-tool user setexpiry {account} --noexpiry",
        $"kadmin.local modprinc -expire never {account}");
}
