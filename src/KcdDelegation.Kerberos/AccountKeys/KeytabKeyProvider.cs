using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A provider of keys from a keytab.</summary>
internal sealed class KeytabKeyProvider : AccountKeyProvider
{
    private readonly string _account;
    private readonly string _path;
    private readonly KeyFile<Keytab> _file;

    public KeytabKeyProvider(string account, string path)
    {
        (_account, _path) = (account, path);
        _file = new KeyFile<Keytab>(path, account, static bytes =>
            KeytabReader.Read(bytes.Span) is { Count: > 0 } entries
                ? new Keytab(entries)
                : throw new InvalidDataException("has no entries"));
    }

    public override AccountKeySource Source => AccountKeySource.Keytab;

    public override long Version => _file.Version;

    public override void Refresh(ILogger logger) => _file.Refresh(logger);

    public override IReadOnlyList<EncryptionType> AvailableTypes(string realm)
    {
        var newest = NewestEntries(realm);
        var types = newest.Where(entry => entry.Key is not null).Select(entry => entry.Key!.Type).Distinct().ToList();
        if (types.Count > 0)
            return types;
        var held = string.Join(
            ", ", newest.Select(entry => EncryptionTypeNames.Get(entry.EncryptionTypeNumber)).Distinct(StringComparer.Ordinal));
        throw Unavailable(_account, realm, $"{_path} has only {held} keys of version {newest[0].Kvno}, and only AES is supported; "
            + "allow AES for the account (msDS-SupportedEncryptionTypes 24), reset its password so that it gets AES keys, and export the "
            + "keytab again");
    }

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        NewestEntries(realm).FirstOrDefault(entry => entry.Key?.Type == type)?.Key
        ?? throw Unavailable(_account, realm, $"{_path} has no {EncryptionTypeNames.Get((int)type)} key of the newest version; "
            + "export the keytab again with all AES types");

    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger)
    {
        var candidates = Candidates(realm, type);
        if (kvno is not { } version)
            return Keys(candidates);
        if (!candidates.Exists(entry => entry.HasKvno(version)))
        {
            _file.Refresh(logger);
            candidates = Candidates(realm, type);
        }
        // A missing version may be one that this file does not show (wrapped, or lost on export). Then every key of the type is tried.
        return Keys(candidates.Exists(entry => entry.HasKvno(version)) ? candidates.FindAll(entry => entry.HasKvno(version)) : candidates);
    }

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) =>
        kvno is not { } version || Candidates(realm, type).Exists(entry => entry.HasKvno(version));

    public override string MissingVersionReason => "which the keytab does not have";

    public override string? GetRealmName(string realm) =>
        _file.Content.FindEntries(_account, realm) is [var entry, ..] ? entry.Realm : null;

    public override void Dispose() => _file.Dispose();

    private static List<KerberosKey> Keys(List<KeytabEntry> entries) => entries.ConvertAll(entry => entry.Key!);

    private List<KeytabEntry> Candidates(string realm, EncryptionType type) =>
        _file.Content.FindEntries(_account, realm).Where(entry => entry.Key?.Type == type).ToList();

    private IReadOnlyList<KeytabEntry> NewestEntries(string realm)
    {
        var keytab = _file.Content;
        var entries = keytab.FindEntries(_account, realm);
        if (entries.Count == 0)
        {
            throw Unavailable(_account, realm, $"{_path} has no entry for {_account}@{realm}; it has keys of {keytab.Principals}; "
                + "correct the account's name or realm, or export the keytab for this account");
        }
        return Keytab.SelectNewest(entries);
    }
}
