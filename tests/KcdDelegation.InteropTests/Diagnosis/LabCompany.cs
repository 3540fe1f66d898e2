using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>A user, a delegating account and a target in a realm of the lab that one test uses exclusively.</summary>
/// <remarks>Initially the account is allowed to delegate the user to the target. They are deleted at the end.</remarks>
internal abstract class LabCompany : IAsyncDisposable
{
    private readonly string _mark = $"t{Guid.NewGuid():N}"[..9];

    protected LabCompany(LabRealm realm)
    {
        Realm = realm;
        KeytabPath = Lab.GetPath($"{realm.Part}/kt/{_mark}.keytab");
    }

    public LabRealm Realm { get; }

    public string User => $"{_mark}-user";

    public string Account => $"{_mark}-gw";

    /// <summary>The account that runs the target. On MIT krb5 it is the principal of the SPN.</summary>
    public abstract string TargetAccount { get; }

    public string Spn => Realm.Spn(_mark);

    /// <summary>The path of the account's keytab, if a test exports it.</summary>
    public string KeytabPath { get; }

    public static async Task<LabCompany> FoundAsync(LabRealm realm, CancellationToken cancellationToken)
    {
        LabCompany company = realm.Software == LabKdc.Mit ? new MitCompany(realm) : new SambaCompany(realm);
        await company.CreateAsync(cancellationToken);
        return company;
    }

    /// <summary>Runs a command of a test or of a remedy. Replaces {user}, {account}, {target}, {spn}, {keytab} and {domain}.</summary>
    public Task RunAsync(string command, CancellationToken cancellationToken) => RunFilledAsync(Filled(command), cancellationToken);

    public string Filled(string text) =>
        text.Replace("{user}", User, StringComparison.Ordinal).Replace("{account}", Account, StringComparison.Ordinal)
        .Replace("{target}", TargetAccount, StringComparison.Ordinal).Replace("{spn}", Spn, StringComparison.Ordinal)
        .Replace("{keytab}", KeytabPath, StringComparison.Ordinal).Replace("{domain}", Realm.Domain, StringComparison.Ordinal);

    public S4UClient CreateClient(ServiceAccount account)
    {
        var options = new S4UClientOptions { Realm = Realm.Realm, Account = account };
        options.Kdcs[Realm.Realm] = [Realm.Kdc];
        return new S4UClient(options);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(KeytabPath);
        await DeleteAsync(CancellationToken.None);
    }

    protected abstract Task CreateAsync(CancellationToken cancellationToken);

    protected abstract Task DeleteAsync(CancellationToken cancellationToken);

    protected abstract Task RunFilledAsync(string command, CancellationToken cancellationToken);

    /// <summary>Splits a command at spaces and removes single quotes, as a shell does.</summary>
    protected static string[] Words(string command) =>
        command.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Replace("'", "", StringComparison.Ordinal)).ToArray();
}

/// <summary>A company in Samba, managed by samba-tool, and by LDAP where samba-tool has no command.</summary>
internal sealed class SambaCompany(LabRealm realm) : LabCompany(realm)
{
    // userAccountControl (MS-ADTS §2.2.16): NORMAL_ACCOUNT, TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION
    private const int Normal = 0x200;
    private const int TrustedToAuthenticate = 0x1000000;

    public override string TargetAccount => Account.Replace("-gw", "-app", StringComparison.Ordinal);

    protected override async Task CreateAsync(CancellationToken cancellationToken)
    {
        foreach (var name in (string[])[User, Account, TargetAccount])
            await ToolAsync(["user", "create", name, Lab.Password], cancellationToken);
        await ModifyAsync(Account, $"""
            replace: servicePrincipalName
            servicePrincipalName: {Realm.Spn(Account)}
            -
            replace: msDS-AllowedToDelegateTo
            msDS-AllowedToDelegateTo: {Spn}
            -
            replace: msDS-SupportedEncryptionTypes
            msDS-SupportedEncryptionTypes: 24
            -
            replace: userAccountControl
            userAccountControl: {Normal | TrustedToAuthenticate}
            """, cancellationToken);
        await ModifyAsync(TargetAccount, $"replace: servicePrincipalName\nservicePrincipalName: {Spn}", cancellationToken);
    }

    // One ldapdelete instead of three runs of samba-tool, each of which takes a second to start.
    protected override Task DeleteAsync(CancellationToken cancellationToken) =>
        LabProgram.RunAsync("ldapdelete", [.. Bind, GetName(User), GetName(Account), GetName(TargetAccount)], "", cancellationToken);

    protected override Task RunFilledAsync(string command, CancellationToken cancellationToken) => Words(command) switch
    {
        ["samba-tool", .. var arguments] => ToolAsync(arguments, cancellationToken),
        // The effect of `net ads enctypes set`, without its prompt for a password.
        ["net", "ads", "enctypes", "set", var name, var types, "-U", "administrator"] =>
            ModifyAsync(name, $"replace: msDS-SupportedEncryptionTypes\nmsDS-SupportedEncryptionTypes: {types}", cancellationToken),
        ["delete-attribute", var name, var attribute] => ModifyAsync(name, $"delete: {attribute}", cancellationToken),
        ["set-attribute", var name, var attribute, var value] =>
            ModifyAsync(name, $"replace: {attribute}\n{attribute}: {value}", cancellationToken),
        _ => throw new ArgumentException($"Not a command for Samba: {command}", nameof(command)),
    };

    private Task<string> ToolAsync(string[] arguments, CancellationToken cancellationToken) =>
        Lab.RunScriptAsync(Realm.Part, ["tool", .. arguments], cancellationToken);

    private Task<string> ModifyAsync(string name, string changes, CancellationToken cancellationToken) =>
        LabProgram.RunAsync("ldapmodify", Bind, $"dn: {GetName(name)}\nchangetype: modify\n{changes}\n", cancellationToken);

    private string[] Bind => ["-x", "-H", $"ldap://{Realm.Kdc.Host}", "-D", $"administrator@{Realm.Domain}", "-w", Lab.Password];

    private string GetName(string account) =>
        $"CN={account},CN=Users,{string.Join(',', Realm.Domain.Split('.').Select(part => $"DC={part}"))}";
}

/// <summary>A company in MIT krb5, managed by kadmin.local, and by LDAP for delegation lists and aliases.</summary>
internal sealed class MitCompany(LabRealm realm) : LabCompany(realm)
{
    public override string TargetAccount => Spn;

    protected override async Task CreateAsync(CancellationToken cancellationToken)
    {
        await KadminAsync($"addprinc -pw {Lab.Password} +requires_preauth {User}", cancellationToken);
        await KadminAsync($"addprinc -pw {Lab.Password} +requires_preauth +ok_to_auth_as_delegate {Account}", cancellationToken);
        await KadminAsync($"addprinc -randkey {Spn}", cancellationToken);
        await ModifyAsync(Account, $"add: krbAllowedToDelegateTo\nkrbAllowedToDelegateTo: {Spn}@{Realm.Realm}", cancellationToken);
    }

    protected override async Task DeleteAsync(CancellationToken cancellationToken)
    {
        foreach (var name in (string[])[User, Account, Spn])
            await KadminAsync($"delprinc -force {name}", cancellationToken);
    }

    protected override Task RunFilledAsync(string command, CancellationToken cancellationToken) => Words(command) switch
    {
        ["kadmin.local", .. var arguments] => KadminAsync(string.Join(' ', arguments), cancellationToken),
        ["printf", "dn:", ..] => PrintfAsync(command, cancellationToken),
        ["delete-attribute", var name, var attribute] => ModifyAsync(name, $"delete: {attribute}", cancellationToken),
        _ => throw new ArgumentException($"Not a command for MIT krb5: {command}", nameof(command)),
    };

    /// <summary>Runs the ldapmodify of a printed command, with the entry's name in place of DN.</summary>
    private Task<string> PrintfAsync(string command, CancellationToken cancellationToken)
    {
        var input = command.Split('\'')[1].Replace(@"\n", "\n", StringComparison.Ordinal);
        var changes = input[(input.IndexOf("changetype: modify\n", StringComparison.Ordinal) + "changetype: modify\n".Length)..];
        return ModifyAsync(
            changes.Contains("krbPrincipalName", StringComparison.Ordinal) ? User : Account,
            changes.Replace("<principal>", $"{User}@{Realm.Realm}", StringComparison.Ordinal), cancellationToken);
    }

    private Task<string> KadminAsync(string command, CancellationToken cancellationToken) =>
        Lab.RunScriptAsync(Realm.Part, ["kadmin", command], cancellationToken);

    private Task<string> ModifyAsync(string name, string changes, CancellationToken cancellationToken)
    {
        var socket = Lab.GetPath($"{Realm.Part}/ldapi.sock").Replace("/", "%2F", StringComparison.Ordinal);
        return LabProgram.RunAsync("ldapmodify", ["-Q", "-Y", "EXTERNAL", "-H", $"ldapi://{socket}"],
            $"dn: krbPrincipalName={name}@{Realm.Realm},cn={Realm.Realm},cn=krb,dc={Realm.Part},dc=test\nchangetype: modify\n{changes}\n",
                cancellationToken);
    }
}
