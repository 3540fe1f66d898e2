using System.Globalization;
using System.Security.Cryptography;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The checks of the account's key: the file, the key versions, and the log-on, which proves it once at one KDC.</summary>
internal static class KeyChecks
{
    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        new(CheckIds.KeyFile, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.None,
            "The account's key can be read, and only by the owner of the file.", CheckFileAsync),
        new(CheckIds.AccountKnown, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The KDC knows the account in this realm.", static (subject, _) => Task.FromResult(CheckKnown(subject))),
        new(CheckIds.AccountState, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The account is enabled, not locked and not expired, and can log on with its key.", CheckStateAsync),
        new(CheckIds.AccountKeys, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The account has AES keys at every KDC, of the types of its key file.", CheckTypesAsync),
        new(CheckIds.KeyCurrent, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The KDC accepts the account's key, and the key is the current one.", CheckCurrentAsync),
        new(CheckIds.AccountLogOn, DoctorStage.Delegation, CheckScope.Account, CheckNeeds.Kdc | CheckNeeds.LogOn,
            "The account can log on.", CheckLogOnAsync),
    ];

    private static DoctorFinding CheckKnown(CheckSubject subject)
    {
        if (subject.Fault is not { } fault)
            return subject.Ok("");
        return subject.Account.ForeignControllers is [var (host, domain), ..]
            ? subject.Explain(
                fault, $"The KDC {PrintableText.From(host)} is a controller of {PrintableText.From(domain)}, and not of "
                    + $"{subject.Account.Domain}.",
                "Set Kcd:Kdcs to controllers of the account's domain, or correct Kcd:Realm.")
            : subject.Explain(fault);
    }

    private static async Task<DoctorFinding> CheckFileAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var settings = subject.Account.Settings;
        var evidence = new List<string> { $"File: {settings.KeyPath}" };
        try
        {
            if (settings.KeyKind != KeyFileKind.PasswordFile)
            {
                using var keytab = await ReadKeytabAsync(settings.KeyPath, cancellationToken).ConfigureAwait(false);
                evidence.Add($"Principals: {keytab.Principals}");
            }
            if (subject.Fault is null && FindReaders(settings.KeyPath) is { } mode)
            {
                return subject.Fix(
                    $"Users of this machine other than the owner can read the key of the account: the mode of the file is {mode}.",
                    $"Restrict the file to its owner: `chmod 600 '{settings.KeyPath}'`.", evidence);
            }
        }
        catch (InvalidDataException error)
        {
            // Programs add keys to an existing file, and refuse if it is not a keytab.
            return subject.Fix(
                $"The key file {error.Message}.",
                $"Move the file away: `mv '{settings.KeyPath}' '{settings.KeyPath}.old'`. Then export the keytab again: "
                + Replace(Remedies.ExportKeytab(subject.Names(KerberosExchange.LogOn)), settings.KeyPath), evidence);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (subject.Fault is null)
            {
                return subject.Fix(
                    $"The file cannot be read: {error.Message}", $"Correct {nameof(ServiceAccountOptions.Keytab)} or the file.", evidence);
            }
        }
        return subject.Fault is { } fault
            ? subject.Explain(fault, Replace(KcdException.Explain(subject.Account.WithSoftware(fault)).Remedy, settings.KeyPath))
            : subject.Ok("", evidence);
    }

    /// <exception cref="InvalidDataException">The file is not a keytab.</exception>
    private static async Task<Keytab> ReadKeytabAsync(string path, CancellationToken cancellationToken)
    {
        var bytes = await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            return new Keytab(KeytabReader.Read(bytes));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
        }
    }

    private static Task<DoctorFinding> CheckStateAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        if (subject.Fault is { } fault)
        {
            var remedy = KcdException.Explain(subject.Account.WithSoftware(fault)).Remedy;
            return Task.FromResult(subject.Explain(fault, Replace(remedy, subject.Account.Settings.KeyPath)));
        }
        return FromRecordAsync();

        async Task<DoctorFinding> FromRecordAsync() =>
            await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is { NeedsNoPreAuthentication: true } record
                ? subject.Fix(
                    "The account needs no pre-authentication, so anyone can get material to guess its password.",
                    "Require pre-authentication: " + Remedies.Run(
                        subject.Names(),
                        $"Set-ADAccountControl -Identity {subject.Names().AccountEntry.AtServer} -DoesNotRequirePreAuth $false",
                        $"samba-tool user edit {record.Quoted}", $"kadmin.local modprinc +requires_preauth {record.Quoted}",
                        $"kadmin -l modify --attributes=+requires-pre-auth {record.Quoted}")
                        + (subject.Account.Software == KdcSoftware.Samba
                            ? string.Create(
                                CultureInfo.InvariantCulture,
                                $" In the editor, set userAccountControl to {record.ControlWithPreAuthentication}.")
                            : ""))
                : subject.Ok("");
    }

    private static async Task<DoctorFinding> CheckTypesAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names(KerberosExchange.LogOn);
        var kdcs = await subject.Account.GetKdcsAsync(cancellationToken).ConfigureAwait(false);
        var evidence = kdcs.Where(kdc => kdc.Answer is { Hints.Count: > 0 })
            .Select(kdc => $"{kdc.Kdc}: {string.Join(", ", kdc.Answer!.Hints.Select(hint => hint.Type))}").ToList();
        if (subject.Fault is { } fault)
        {
            var remedy = AccountCommands.EnableAes(names, names.AccountEntry)
                + " " + Replace(Remedies.ExportKeytab(names), subject.Account.Settings.KeyPath);
            return subject.Explain(fault, remedy, evidence);
        }
        var differing = kdcs.Where(kdc => kdc.Answer is { Error: null } answer
            && !answer.Hints.Any(hint => hint.Type is EncryptionType.Aes256CtsHmacSha1 or EncryptionType.Aes128CtsHmacSha1
                or EncryptionType.Aes128CtsHmacSha256 or EncryptionType.Aes256CtsHmacSha384)).ToList();
        return differing.Count > 0
            ? subject.Fix(
                $"{differing[0].Kdc} has no AES key for the account.",
                "Check the replication of the controllers, then set the account's password again.", evidence)
            : subject.Ok("", evidence);
    }

    private static async Task<DoctorFinding> CheckCurrentAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        var names = subject.Names(KerberosExchange.LogOn);
        var settings = subject.Account.Settings;
        if (subject.Fault is { } fault)
        {
            return subject.Explain(
                fault, settings.KeyKind == KeyFileKind.Keytab
                    ? $"Export the keytab again: {Replace(Remedies.ExportKeytab(names), settings.KeyPath)} {Remedies.CheckSalt(names)}"
                    : null);
        }
        if (settings.KeyKind != KeyFileKind.Keytab
            || await subject.Account.GetRecordAsync(cancellationToken).ConfigureAwait(false) is not { KeyVersion: { } version })
            return subject.Ok("The log-on proves it.");
        using var keytab = await ReadKeytabAsync(settings.KeyPath, cancellationToken).ConfigureAwait(false);
        var newest = keytab.FindEntries(subject.Account.Name, subject.Account.Realm) is [var first, ..] ? first.Kvno : 0;
        string[] evidence =
        [
            string.Create(CultureInfo.InvariantCulture, $"Newest key version in the keytab: {newest}"),
            string.Create(CultureInfo.InvariantCulture, $"Key version in the directory: {version}"),
        ];
        return newest == version || newest == (version & 0xff)
            ? subject.Ok("The log-on proves it, and the versions agree.", evidence)
            : subject.Look(
                "The key is accepted, but the keytab has another version number than the directory.",
                $"Tickets are opened by trying each key, so nothing fails. To correct the number, export the keytab again: "
                + Replace(Remedies.ExportKeytab(names), settings.KeyPath), evidence);
    }

    private static async Task<DoctorFinding> CheckLogOnAsync(CheckSubject subject, CancellationToken cancellationToken)
    {
        if (subject.Fault is { } fault)
            return subject.Explain(fault);
        var ticket = await subject.Account.Client.GetTicketGrantingTicketAsync(cancellationToken).ConfigureAwait(false);
        return subject.Ok(
            "",
            $"Ticket from {ticket.StartTime:u} to {ticket.EndTime:u}, session key {ticket.SessionKey.Type}",
            "The key was proven once, at one KDC.");
    }

    /// <summary>Puts the path of the settings into commands that write a keytab.</summary>
    private static string Replace(string remedy, string path) =>
        path.Any(c => c is '\'' or '`' || char.IsControl(c)) ? remedy
            : remedy.Replace("connector.keytab", $"'{path}'", StringComparison.Ordinal);

    /// <summary>Returns the mode of a file that others than its owner can read, or null.</summary>
    private static string? FindReaders(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        var mode = File.GetUnixFileMode(path);
        return (mode & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)) != UnixFileMode.None
            ? Convert.ToString((int)mode, 8)
            : null;
    }
}
