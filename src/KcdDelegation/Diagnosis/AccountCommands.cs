using KcdDelegation.Kerberos;

namespace KcdDelegation.Diagnosis;

/// <summary>Commands that change one account in the directory: its state, its password, its encryption types and its flags.</summary>
internal static class AccountCommands
{
    /// <summary>Sets msDS-SupportedEncryptionTypes (MS-KILE §2.2.7), in which the bits 8 and 16 are AES.</summary>
    public static string DeclareAes(ErrorNames n, DirectoryEntry account) => "Declare that the account supports AES: " + Remedies.Run(
        n,
        $"Set-{account.Cmdlet} -Identity {account.AtServer} -KerberosEncryptionType AES128,AES256",
        $"net ads enctypes set {account.Name} 24 -U administrator",
        $"kadmin.local cpw -randkey -e aes256-cts:normal,aes128-cts:normal {account.Name}",
        $"kadmin -l cpw --random-key {account.Name}");

    /// <summary>Declares AES and creates the keys. The domain keeps keys of the types that it supported when the password was
    /// set.</summary>
    public static string EnableAes(ErrorNames n, DirectoryEntry account) =>
        n.KeySource == AccountKeySource.ManagedPassword
            ? DeclareAes(n, account)
            : $"{DeclareAes(n, account)} {CreateAesKeys(n, account)}Then export its keytab again.";

    public static string NewPassword(ErrorNames n, DirectoryEntry account) => Remedies.Run(
        n,
        $"Set-ADAccountPassword -Identity {account.AtServer} -Reset",
        $"samba-tool user setpassword {account.Name}",
        $"kadmin.local modprinc -pwexpire never {account.Name}",
        $"kadmin -l modify --pw-expiration-time=never {account.Name}");

    /// <summary>Extends the account of the target, which on MIT krb5 and Heimdal is the principal of the SPN.</summary>
    public static string ExtendTarget(ErrorNames n) => "If this is not intended, extend the account that runs the service: " + Remedies.Run(
        n,
        $"Clear-ADAccountExpiration -Identity TARGET -Server {n.TargetDns}",
        "samba-tool user setexpiry TARGET --noexpiry",
        $"kadmin.local modprinc -expire never {n.ServiceQuoted}",
        $"kadmin -l modify --expiration-time=never {n.ServiceQuoted}");

    public static string EnableTarget(ErrorNames n) => "If this is not intended, enable the account that runs the service: " + Remedies.Run(
        n,
        $"Enable-ADAccount -Identity TARGET -Server {n.TargetDns}",
        "samba-tool user enable TARGET",
        $"kadmin.local modprinc +allow_tix {n.ServiceQuoted}",
        $"kadmin -l modify --attributes=-disallow-all-tix {n.ServiceQuoted}");

    public static string AllowForwarding(ErrorNames n, DirectoryEntry account) => Remedies.Run(
        n,
        $"Set-ADAccountControl -Identity {account.AtServer} -AccountNotDelegated $false",
        $"samba-tool user sensitive {account.Name} off",
        $"kadmin.local modprinc +allow_forwardable {account.Name}",
        $"kadmin -l modify --attributes=-disallow-forwardable {account.Name}");

    public static string Enable(ErrorNames n, DirectoryEntry account) => "If this is not intended, enable the account: " + Remedies.Run(
        n,
        $"Enable-ADAccount -Identity {account.AtServer}",
        $"samba-tool user enable {account.Name}",
        $"kadmin.local modprinc +allow_tix {account.Name}",
        $"kadmin -l modify --attributes=-disallow-all-tix {account.Name}");

    public static string Unlock(ErrorNames n, DirectoryEntry account) => "Unlock the account: " + Remedies.Run(
        n,
        $"Unlock-ADAccount -Identity {account.AtServer}",
        $"samba-tool user unlock {account.Name}",
        $"kadmin.local modprinc -unlock {account.Name}",
        $"kadmin -l modify --attributes=-disallow-all-tix {account.Name}");

    public static string Extend(ErrorNames n, DirectoryEntry account) => "If this is not intended, extend the account: " + Remedies.Run(
        n,
        $"Clear-ADAccountExpiration -Identity {account.AtServer}",
        $"samba-tool user setexpiry {account.Name} --noexpiry",
        $"kadmin.local modprinc -expire never {account.Name}",
        $"kadmin -l modify --expiration-time=never {account.Name}");

    /// <summary>Allows log-ons at any time. MIT krb5 and Heimdal have no such restriction.</summary>
    public static string RemoveLogonHours(ErrorNames n, DirectoryEntry account)
    {
        var activeDirectory = $"Active Directory `Set-{account.Cmdlet} -Identity {account.AtServer} -Clear logonHours`";
        var samba = $"Samba `pdbedit --logon-hours-reset --user={account.Name}`";
        return n.Software switch
        {
            KdcSoftware.ActiveDirectory => $"{activeDirectory}.",
            KdcSoftware.Samba => $"{samba}.",
            _ => $"{activeDirectory}; {samba}.",
        };
    }

    // On MIT krb5 and Heimdal, cpw has created the keys already.
    private static string CreateAesKeys(ErrorNames n, DirectoryEntry account)
    {
        var activeDirectory = $"Active Directory `Set-ADAccountPassword -Identity {account.AtServer} -Reset`";
        var samba = $"Samba `samba-tool user setpassword {account.Name}`";
        return n.Software switch
        {
            KdcSoftware.MitKrb5 or KdcSoftware.Heimdal => "",
            KdcSoftware.ActiveDirectory => $"Then set the password twice, which creates AES keys: {activeDirectory}. ",
            KdcSoftware.Samba => $"Then set the password, which creates AES keys: {samba}. ",
            _ => $"Then set the password twice, which creates AES keys: {activeDirectory}; {samba}. ",
        };
    }
}
