using System.Collections.Concurrent;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Testing.Accounts;

/// <summary>The keys of one password (or none: random keys) under one version number. A key is derived when it is first needed.</summary>
internal sealed class KeyVersion(uint number, string? password, string salt)
{
    private readonly ConcurrentDictionary<EncryptionType, Lazy<KerberosKey>> _keys = new();

    public uint Number => number;
    public string? Password => password;
    public string Salt => salt;

    public KerberosKey GetKey(EncryptionType type) => _keys.GetOrAdd(type, t => new Lazy<KerberosKey>(() => Make(t))).Value;

    private KerberosKey Make(EncryptionType type)
    {
        var profile = EncryptionProfile.Get(type);
        return password is null ? profile.CreateRandomKey() : profile.DeriveFromPassword(password, salt, profile.DefaultIterations);
    }
}

/// <summary>All keys of an account: the newest version, and the older ones with which tickets in circulation still open. Thread-safe.</summary>
internal sealed class KeyHistory
{
    private readonly string _salt;
    private KeyVersion[] _versions;

    /// <param name="password">Null: random keys.</param>
    /// <param name="salt">That the KDC tells clients (RFC 4120 §5.2.7.5).</param>
    /// <param name="types">Best first.</param>
    /// <param name="version">Of the first keys.</param>
    public KeyHistory(string? password, string salt, IReadOnlyList<EncryptionType> types, uint version)
    {
        _salt = salt;
        Types = types;
        _versions = [new KeyVersion(version, password, salt)];
    }

    /// <summary>Best first.</summary>
    public IReadOnlyList<EncryptionType> Types { get; }

    public KeyVersion Current => Volatile.Read(ref _versions)[0];

    public IReadOnlyList<KeyVersion> All => Volatile.Read(ref _versions);

    /// <summary>The first of the offered types that the account has a key of and that this kit implements.</summary>
    public EncryptionType? Choose(IEnumerable<EncryptionType> offered)
    {
        foreach (var type in offered)
        {
            if (Types.Contains(type) && EncryptionProfile.TryGet(type, out _))
                return type;
        }
        return null;
    }

    public void Replace(string? password)
    {
        var old = Volatile.Read(ref _versions);
        Volatile.Write(ref _versions, [new KeyVersion(old[0].Number + 1, password, _salt), .. old]);
    }

    /// <summary>The key with which a ticket was encrypted, or null. A ticket without a version is tried with the newest one.</summary>
    public KerberosKey? Find(EncryptionType type, uint? version) =>
        Types.Contains(type) && EncryptionProfile.TryGet(type, out _)
            ? All.FirstOrDefault(v => version is null || v.Number == version)?.GetKey(type)
            : null;
}
