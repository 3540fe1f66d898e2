namespace KcdDelegation.Diagnosis;

/// <summary>Remedies that more than one cause shares: the exact commands for Active Directory (PowerShell), Samba and MIT krb5.</summary>
internal static class Remedies
{
    /// <summary>MS-SFU §3.2.5.2: the account's own list (same domain), or the target's (any domain).</summary>
    public static string AllowDelegation(ErrorNames n) =>
        $"In one domain, put the SPN on the account's list: Set-{n.AccountCmdlet} -Identity {n.AccountQuoted} -Add @{{'msDS-AllowedToDelegateTo'={n.ServiceQuoted}}}; "
        + $"Samba: samba-tool delegation add-service {n.AccountQuoted} {n.ServiceQuoted}; MIT krb5 with LDAP: add krbAllowedToDelegateTo. "
        + "Across domains, or by choice, " + AllowOnTarget(n);

    /// <summary>Resource-based: the list is the target's.</summary>
    public static string AllowOnTarget(ErrorNames n) =>
        $"let the target trust the account: setspn -Q {n.ServiceQuoted} names the account that runs it, then "
        + $"Set-ADComputer -Identity TARGET -PrincipalsAllowedToDelegateToAccount (Get-{n.AccountCmdlet} {n.AccountQuoted}) (Set-ADUser if it is a user); "
        + $"Samba: samba-tool delegation add-principal TARGET {n.AccountQuoted}.";

    public static string AllowTransition(ErrorNames n) =>
        $"Look whether the user may be delegated: {n.GetUser} -Properties AccountNotDelegated, MemberOf (not \"sensitive\", not in Protected Users). "
        + $"If so, let the account use any authentication protocol: Set-ADAccountControl -Identity {n.AccountQuoted} -TrustedToAuthForDelegation $true; "
        + $"Samba: samba-tool delegation for-any-protocol {n.AccountQuoted} on; MIT krb5: kadmin.local modprinc +ok_to_auth_as_delegate {n.AccountQuoted}.";

    public static string NewKeytab(ErrorNames n) =>
        $"Export the keytab again, with the account's present keys: ktpass or a gMSA password reader on Windows; Samba: samba-tool domain exportkeytab connector.keytab --principal={n.AccountQuoted}; "
        + $"MIT krb5: kadmin.local ktadd -norandkey -k connector.keytab {n.AccountQuoted}. Compare the key version (kvno {n.AccountQuoted}) with klist -ket connector.keytab.";

    public static string FindService(ErrorNames n) =>
        $"See who holds it: setspn -Q {n.ServiceQuoted}. If nobody does, register it on the account that runs the backend: setspn -S {n.ServiceQuoted} ACCOUNT; "
        + $"Samba: samba-tool spn add {n.ServiceQuoted} ACCOUNT; MIT krb5: kadmin.local addprinc -randkey {n.ServiceQuoted}. Use the name of the A record, not an alias.";

    public static string Clocks(ErrorNames n) =>
        $"Set this machine's and the domain controllers' clocks by NTP (w32tm /query /status, chronyc tracking); the controllers of {n.RealmDns} are the measure.";

    public static string EnableAes(string account) =>
        $"Allow AES for the account (Set-ADComputer or Set-ADUser -Identity {account} -KerberosEncryptionType AES128,AES256), then reset its password so that AES keys exist, and export its keytab again.";

    public static string Network(ErrorNames n) =>
        $"Open TCP and UDP port 88 to the domain controllers of {n.RealmDns} (Test-NetConnection HOST -Port 88), look at DNS (nslookup -type=SRV _kerberos._tcp.{n.RealmDns}), or list them under Kcd:Kdcs or Kcd:Realms:REALM:Kdcs.";

    public static string UserLookup(ErrorNames n) =>
        $"Look the user up: {n.GetUser} -Server {n.RealmDns}. If the directory has another name for this person, choose another LoginIdentity, or list the UPN suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.";

    public static string TrySupport(ErrorNames n) =>
        $"Look into the log of the KDC that answered for {n.Realm} (Security and System log on a domain controller).";
}
