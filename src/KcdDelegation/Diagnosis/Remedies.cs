using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>Remedies that several causes share, with the exact commands.</summary>
/// <remarks>Commands are enclosed in backquotes. Words in upper case in them are placeholders for the reader to replace.</remarks>
internal static class Remedies
{
    /// <summary>The command that removes the cached tickets of every logon session of a Windows machine. A plain klist purge removes those
    /// of
    /// its own session only.</summary>
    public const string PurgeTickets =
        "Then remove the backend's cached tickets in all logon sessions: `Get-CimInstance Win32_LogonSession | "
        + "Where-Object AuthenticationPackage -ne NTLM | ForEach-Object { klist -li ('0x{0:x}' -f [long]$_.LogonId) purge }`.";

    private const string LdapModify = "ldapmodify -Y EXTERNAL -H ldapi:///";

    /// <summary>Returns one step as a command: that of the KDC's implementation if it is known, otherwise those of all.</summary>
    public static string Run(ErrorNames n, string activeDirectory, string samba, string mit, string heimdal) =>
        Choose(n, $"Active Directory `{activeDirectory}`", $"Samba `{samba}`", $"MIT krb5 `{mit}`", $"Heimdal `{heimdal}`");

    /// <summary>Names both lists that allow the delegation (MS-SFU §3.2.5.2): the account's own in the same domain, or the target's in any
    /// domain.</summary>
    public static string AllowDelegation(ErrorNames n) =>
        "Within one domain, add the SPN to the account's list: " + Choose(
            n,
            $"Active Directory `Set-{n.AccountCmdlet} -Identity {n.AccountQuoted} -Server {n.AccountDns} -Add "
                + $"@{{'msDS-AllowedToDelegateTo'={n.ServiceQuoted}}}`, "
                + $"and check it with `Get-{n.AccountCmdlet} {n.AccountQuoted} -Server {n.AccountDns} "
                + "-Properties msDS-AllowedToDelegateTo`",
            $"Samba `samba-tool delegation add-service {n.AccountQuoted} {n.ServiceQuoted}`, and check it with `samba-tool delegation "
                + $"show {n.AccountQuoted}`",
            $"MIT krb5 with LDAP: find the account's entry with `ldapsearch -LLL -Y EXTERNAL -H ldapi:/// "
                + $"'(krbPrincipalName={n.AccountInRealm})' dn`, then run "
                + $"`printf 'dn: DN\\nchangetype: modify\\nadd: krbAllowedToDelegateTo\\nkrbAllowedToDelegateTo: {n.ServiceInRealm}\\n' "
                    + $"| {LdapModify}`",
            $"Heimdal `kadmin -l modify --constrained-delegation={n.ServiceInRealm} {n.AccountQuoted}` (the list is replaced: repeat "
                + $"the option for every "
                + $"target, and check it with `kadmin -l get {n.AccountQuoted}`)")
        + (n.Software is KdcSoftware.Heimdal or KdcSoftware.MitKrb5 ? "" : " Across domains, or as an alternative, " + AllowOnTarget(n));

    /// <summary>Names the target's list, for resource-based delegation.</summary>
    public static string AllowOnTarget(ErrorNames n) =>
        $"allow the account on the target. {FindHolder(n)} Then run: " + Choose(
            n,
            $"Active Directory `Set-ADComputer -Identity TARGET -Server {n.TargetDns} "
                + $"-PrincipalsAllowedToDelegateToAccount (Get-{n.AccountCmdlet} "
                + $"{n.AccountQuoted} -Server {n.AccountDns})` "
                + "(Set-ADUser if it is a user; the list is replaced, so include every account that must remain on it), and check it with "
                + $"`Get-ADComputer TARGET -Server {n.TargetDns} -Properties PrincipalsAllowedToDelegateToAccount`",
            $"Samba 4.19 or later `samba-tool delegation add-principal TARGET {n.AccountQuoted}`, and check it with `samba-tool "
                + $"delegation show TARGET`",
            "MIT krb5: not available in its databases",
            "Heimdal: not available");

    public static string AllowTransition(ErrorNames n) =>
        "Allow the account to use any authentication protocol: " + Run(
            n,
            $"Set-ADAccountControl -Identity {n.AccountEntry.AtServer} -TrustedToAuthForDelegation $true",
            $"samba-tool delegation for-any-protocol {n.AccountQuoted} on",
            $"kadmin.local modprinc +ok_to_auth_as_delegate {n.AccountQuoted}",
            $"kadmin -l modify --attributes=+trusted-for-delegation {n.AccountQuoted}");

    public static string AllowUser(ErrorNames n) =>
        (HasActiveDirectoryTools(n)
            ? $"Check whether the user is sensitive or a member of Protected Users: `{n.GetUser} -Properties AccountNotDelegated, "
                + $"MemberOf`. "
            : "")
        + "To allow delegation of this user: " + AccountCommands.AllowForwarding(n, n.UserEntry);

    /// <summary>Names the flags that forbid the delegation of the account itself.</summary>
    public static string AllowAccount(ErrorNames n) =>
        (HasActiveDirectoryTools(n)
            ? $"Check whether the account is sensitive or a member of Protected Users: `Get-{n.AccountCmdlet} {n.AccountQuoted} -Server "
                + $"{n.AccountDns} "
                + "-Properties AccountNotDelegated, MemberOf`. If not, check krbtgt: "
                + $"`Get-ADUser krbtgt -Server {n.AccountDns} -Properties AccountNotDelegated`. "
            : "")
        + "To allow the account to delegate: " + AccountCommands.AllowForwarding(n, n.AccountEntry);

    public static string TransitionOrUser(ErrorNames n) =>
        $"If it affects all users, the account lacks the right. {AllowTransition(n)} If it affects this user only, the user is "
            + $"protected. {AllowUser(n)}";

    /// <summary>Asks for the path first, because wrong paths are more common than missing files. Offers no command that changes the
    /// password.</summary>
    public static string FindKey(ErrorNames n) =>
        "Check that Kcd:ServiceAccount:Keytab or Kcd:ServiceAccount:PasswordFile is the correct path, that this process can read the "
            + "file, and that a "
        + "keytab contains the account under exactly this name: `klist -ket connector.keytab`. If the keytab is lost, the account can "
            + "log on with a password "
        + $"file (Kcd:ServiceAccount:PasswordFile) instead. To export a keytab without a change of the password: {ExportKeytab(n)}";

    /// <summary>Finds out why a managed password from the directory is not the one that the KDC uses.</summary>
    public static string CompareControllers(ErrorNames n) =>
        "The domain controller that was read and the one that was asked for the ticket disagree about the account's password. Check their "
        + "replication and clocks: Active Directory `repadmin /showrepl` and `w32tm /monitor`, Samba `samba-tool drs showrepl`. Check that "
        + $"no one reset the password of {n.Account}.";

    /// <summary>Renews the key: a keytab is exported again, a password file gets the current password.</summary>
    public static string RenewKey(ErrorNames n) => n.KeySource switch
    {
        AccountKeySource.Password => NewPasswordFile,
        AccountKeySource.Keytab => NewKeytab(n),
        AccountKeySource.ManagedPassword => CompareControllers(n),
        _ => $"With a keytab: {NewKeytab(n)} With a password file: {NewPasswordFile}",
    };

    /// <summary>Exports the keytab again. ktpass derives the salt itself, and a computer's salt differs from a user's (MS-KILE
    /// §3.1.1.2).</summary>
    public static string NewKeytab(ErrorNames n) =>
        $"Export the keytab again: {ExportKeytab(n)}"
        + (n.AccountIsComputer
            ? " For a computer account, a file with its password (Kcd:ServiceAccount:PasswordFile) is the better choice. A computer "
            + "that has "
            + "joined the domain changes its password itself and loses its trust if another program changes it." : "")
        + $" Then compare the key versions: `kvno {n.AccountQuoted}` and `klist -ket connector.keytab`.";

    /// <summary>Compares the salts (RFC 3962 §4), for a key that is wrong although the versions agree.</summary>
    public static string CheckSalt(ErrorNames n) =>
        "If the versions agree, the keytab was created with another salt than the KDC's, for example with ktutil or before the account "
            + "was renamed. The brackets "
        + "name the KDC's salt; create the keytab with it in ktutil: "
        + $"`addent -password -p {n.AccountInRealm} -k VERSION -e aes256-cts-hmac-sha1-96 -s 'SALT'`.";

    public static string FindService(ErrorNames n) =>
        $"{FindHolder(n)} If there is none, register it on the account that runs the backend: " + Run(
            n,
            $"setspn -S {n.ServiceQuoted} TARGET",
            $"samba-tool spn add {n.ServiceQuoted} TARGET",
            $"kadmin.local addprinc -randkey {n.ServiceQuoted}",
            $"kadmin -l add --random-key --use-defaults {n.ServiceQuoted}")
        + " Use the name of the A record, not an alias.";

    /// <summary>Corrects an SPN whose form is unusual: it is more likely wrong in the settings than missing in the directory.</summary>
    public static string CorrectService(ErrorNames n) =>
        $"Check which form is registered. {FindHolder(n)} Set ServicePrincipalName of the application to "
        + $"the registered form, usually {n.WebServiceQuoted}.";

    public static string NameAccount(ErrorNames n) =>
        "Give the account a service principal name: " + Run(
            n,
            $"setspn -S HTTP/GATEWAY {n.AccountQuoted}",
            $"samba-tool spn add HTTP/GATEWAY {n.AccountQuoted}",
            $"kadmin.local modprinc +allow_svr {n.AccountQuoted}",
            $"kadmin -l modify --attributes=-disallow-svr {n.AccountQuoted}");

    public static string Clocks(ErrorNames n) =>
        $"Synchronize the clocks of this machine and of the KDCs by NTP (`w32tm /query /status`, `chronyc tracking`); the KDCs of "
            + $"{n.RealmDns} are the reference.";

    public static string Network(ErrorNames n) =>
        $"Open TCP and UDP port 88 to the KDCs of {n.RealmDns} (`Test-NetConnection HOST -Port 88`), check DNS (`nslookup -type=SRV "
            + $"_kerberos._tcp.{n.RealmDns}`), "
        + "or list the KDCs under Kcd:Kdcs, and those of another realm under Kcd:Realms:REALM:Kdcs. "
        + Sensor;

    /// <summary>The sensor of Microsoft Entra Private Access on a domain controller answers only addresses on its list.</summary>
    public const string Sensor =
        "If a sensor on the domain controllers, such as that of Microsoft Entra Private Access, admits listed addresses only, add the "
        + "addresses of this gateway to its SourceIPAllowList.";

    public static string UserLookup(ErrorNames n) =>
        FindUser(n) + "If the directory has another name for this person, select another LoginIdentity, "
        + "or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.";

    public static string NameUser(ErrorNames n) =>
        $"{UserLookup(n)} To add this UPN to the directory: " + Choose(
            n,
            $"Active Directory `Set-ADUser -Identity '<sAMAccountName>' -Server {n.UserDns} -UserPrincipalName {n.UserQuoted}`",
            $"Samba `samba-tool user rename '<sAMAccountName>' --upn={n.UserQuoted}`",
            "MIT krb5 with LDAP: add an alias to the user's entry with "
                + "`printf 'dn: DN\\nchangetype: modify\\nadd: krbPrincipalName\\nkrbPrincipalName: " + n.UserAliasInRealm
                + "\\n-\\nadd: krbCanonicalName\\nkrbCanonicalName: <principal>\\n' | " + LdapModify + "`",
            $"Heimdal `kadmin -l modify --alias={n.UserAliasInRealm} '<principal>'`");

    /// <summary>Adds the enterprise name ACCOUNT@REALM, by which a foreign KDC finds the account (MS-SFU §4.2).</summary>
    public static string NameAccountAbroad(ErrorNames n) =>
        $"Add an alias for {n.AccountInRealm} to that realm. MIT krb5 with LDAP: in the entry of the trust, krbtgt/ACCOUNT-REALM, with "
        + $"`printf 'dn: DN\\nchangetype: modify\\nadd: krbPrincipalName\\nkrbPrincipalName: {n.AccountInForeignRealm}\\n' | "
            + $"{LdapModify}`. "
        + "Active Directory needs no alias, but a two-way trust.";

    public static string EnableUser(ErrorNames n) => AccountCommands.Enable(n, n.UserEntry);

    public static string EnableAccount(ErrorNames n) => AccountCommands.Enable(n, n.AccountEntry);

    public static string UnlockUser(ErrorNames n) => AccountCommands.Unlock(n, n.UserEntry);

    public static string UnlockAccount(ErrorNames n) => AccountCommands.Unlock(n, n.AccountEntry);

    public static string ExtendUser(ErrorNames n) => AccountCommands.Extend(n, n.UserEntry);

    public static string ExtendAccount(ErrorNames n) => AccountCommands.Extend(n, n.AccountEntry);

    public static string ReportBug(ErrorNames n) =>
        $"Check the log of the KDC of {n.RealmDns} that answered: the Security and System logs of a domain controller, or the log file "
            + $"of Samba, MIT krb5 or Heimdal.";

    /// <summary>Lists the ways to a pre-authentication that this client supports. A new password would change nothing.</summary>
    public static string AcceptTimestamps(ErrorNames n) => Choose(
        n,
        "Active Directory: the policy \"fail unarmored authentication requests\" (Kerberos armoring, FAST) does not apply to computers "
            + "and managed service accounts. "
            + $"Use one of these for delegation, or exempt {n.Account} from the policy",
        "Samba: allow authentication without Kerberos armoring (FAST) for the account",
        "MIT krb5: remove `disable_encrypted_timestamp` from kdc.conf, or allow it for the realm",
        "Heimdal: allow `PA-ENC-TIMESTAMP` in the [kdc] section of kdc.conf");

    /// <summary>Adds the account to the group that can read token-groups-global-and-universal.</summary>
    public static string AllowGroupMemberships(ErrorNames n) =>
        "Add the account to the Windows Authorization Access Group of the user's domain: Active Directory "
        + $"`Add-ADGroupMember 'Windows Authorization Access Group' -Server {n.UserDns} "
            + $"-Members (Get-{n.AccountCmdlet} {n.AccountEntry.AtServer})`.";

    /// <summary>Returns what changed for RC4 (CVE-2026-20833).</summary>
    public static string Rc4(ErrorNames n) => n.Software is KdcSoftware.MitKrb5 or KdcSoftware.Heimdal
        ? ""
        : "Domain controllers no longer use RC4 by default (Windows KB5073381, Samba 4.24).";

    /// <summary>Returns whether cmdlets and setspn work against the directory.</summary>
    public static bool HasActiveDirectoryTools(ErrorNames n) =>
        n.Software is not (KdcSoftware.Samba or KdcSoftware.MitKrb5 or KdcSoftware.Heimdal);

    public static string FindHolder(ErrorNames n) => "Find the account that holds the SPN: " + Run(
        n,
        $"setspn -F -Q {n.ServiceQuoted}",
        $"ldbsearch -H /var/lib/samba/private/sam.ldb servicePrincipalName={n.ServiceQuoted} dn",
        $"kadmin.local getprinc {n.ServiceQuoted}",
        $"kadmin -l get {n.ServiceQuoted}");

    /// <summary>Prints whether the user's account is disabled, locked out or expired.</summary>
    public static string UserState(ErrorNames n) => "Check the account: " + Run(
        n,
        $"{n.GetUser} -Properties Enabled, LockedOut, AccountExpirationDate",
        $"samba-tool user show {n.UserAccountQuoted}",
        $"kadmin.local getprinc {n.UserQuoted}",
        $"kadmin -l get {n.UserQuoted}");

    private const string NewPasswordFile =
        "Write the account's current password to the file of Kcd:ServiceAccount:PasswordFile, as UTF-8 text in one line. The file is "
        + "read again when it changes.";

    private static string FindUser(ErrorNames n) => "Find the user: " + Run(
        n,
        n.GetUser,
        $"samba-tool user show {n.UserAccountQuoted}",
        $"kadmin.local getprinc {n.UserQuoted}",
        $"kadmin -l get {n.UserQuoted}") + " ";

    // With -setpass and -setupn, ktpass changes neither the password nor the user principal name.
    public static string ExportKeytab(ErrorNames n) => Choose(
        n,
        $"Active Directory `ktpass -princ {n.AccountInRealm} -mapuser {n.AccountQuoted} -ptype KRB5_NT_PRINCIPAL -crypto AES256-SHA1 "
            + $"-setpass -setupn -pass * "
            + "-out connector.keytab` (enter the current password; without `-setpass` ktpass resets it)",
        $"Samba `samba-tool domain exportkeytab connector.keytab --principal={n.AccountQuoted}`",
        $"MIT krb5 `kadmin.local ktadd -norandkey -k connector.keytab {n.AccountQuoted}`",
        $"Heimdal `kadmin -l ext_keytab --keytab=connector.keytab {n.AccountQuoted}`");

    private static string Choose(ErrorNames n, string activeDirectory, string samba, string mit, string heimdal) => n.Software switch
    {
        KdcSoftware.ActiveDirectory => $"{activeDirectory}.",
        KdcSoftware.Samba => $"{samba}.",
        KdcSoftware.DomainController => $"{activeDirectory}; {samba}.",
        KdcSoftware.MitKrb5 => $"{mit}.",
        KdcSoftware.Heimdal => $"{heimdal}.",
        _ => $"{activeDirectory}; {samba}; {mit}; {heimdal}.",
    };
}
