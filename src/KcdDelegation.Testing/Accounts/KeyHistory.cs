using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Testing.Accounts;

/// <summary>The keys of one version number, derived from a password or random. A key is created when it is first needed.</summary>
internal sealed class KeyVersion(uint number, string? password, string salt)
{
    private readonly ConcurrentDictionary<EncryptionType, Lazy<KerberosKey>> _keys = new();

    public uint Number => number;
    public string? Password => password;
    public string Salt => salt;

    public KerberosKey GetKey(EncryptionType type) => _keys.GetOrAdd(type, t => new Lazy<KerberosKey>(() => Create(t))).Value;

    private KerberosKey Create(EncryptionType type)
    {
        var profile = EncryptionProfile.Get(type);
        return password is null ? profile.CreateRandomKey() : profile.DeriveFromPassword(password, salt, profile.DefaultIterations);
    }
}

/// <summary>All keys of an account: the newest version, and older ones for tickets that were issued before. Thread-safe.</summary>
internal sealed class KeyHistory
{
    private readonly string _salt;
    private KeyVersion[] _versions;

    /// <param name="password">Null: random keys.</param>
    /// <param name="salt">The salt that the KDC sends to clients (RFC 4120 §5.2.7.5).</param>
    /// <param name="types">The types of the keys, best first.</param>
    /// <param name="version">The version number of the first keys.</param>
    public KeyHistory(string? password, string salt, IReadOnlyList<EncryptionType> types, uint version)
    {
        _salt = salt;
        Types = types;
        _versions = [new KeyVersion(version, password, salt)];
    }

    /// <summary>The types of the keys, best first.</summary>
    public IReadOnlyList<EncryptionType> Types { get; }

    public KeyVersion Current => Volatile.Read(ref _versions)[0];

    public IReadOnlyList<KeyVersion> All => Volatile.Read(ref _versions);

    /// <summary>Returns the first offered type that the account has and this kit implements, or null.</summary>
    public EncryptionType? Choose(IEnumerable<EncryptionType> offered)
    {
        foreach (var type in offered)
        {
            if (Types.Contains(type) && EncryptionProfile.TryGet(type, out _))
                return type;
        }
        return null;
    }

    /// <summary>Adds keys with the next version number.</summary>
    /// <param name="password">Null: random keys.</param>
    /// <param name="keepOld">Whether tickets encrypted with the older keys still open.</param>
    public void Replace(string? password, bool keepOld = true)
    {
        var old = Volatile.Read(ref _versions);
        var created = new KeyVersion(old[0].Number + 1, password, _salt);
        Volatile.Write(ref _versions, keepOld ? [created, .. old] : [created]);
    }

    /// <summary>Returns the key that a ticket was encrypted with, or null. A ticket without a version is tried with the newest
    /// key.</summary>
    public KerberosKey? Find(EncryptionType type, uint? version) =>
        Types.Contains(type) && EncryptionProfile.TryGet(type, out _)
            ? All.FirstOrDefault(v => version is null || v.Number == version)?.GetKey(type)
            : null;
}
