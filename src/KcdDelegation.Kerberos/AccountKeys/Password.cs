using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A password in pinned memory and the keys made from it: string-to-key is meant to be slow (RFC 3962 §4), so each is made once.
/// Thread-safe.</summary>
internal sealed class Password(ReadOnlySpan<char> characters) : IDisposable
{
    // Salt and rounds come from whoever answers for the KDC: what is remembered must not grow with his imagination.
    private const int MaxKeys = 16;

    private readonly PinnedSecret _characters = new(MemoryMarshal.AsBytes(characters));
    private readonly Lock _lock = new();
    private readonly List<DerivedKey> _keys = [];

    /// <summary>A file of UTF-8 text; one line end behind the password and a byte order mark before it are not part of it.</summary>
    /// <exception cref="InvalidDataException">Not UTF-8, or nothing in it.</exception>
    public static Password Read(ReadOnlyMemory<byte> file)
    {
        var text = file.Span;
        if (text.StartsWith("\uFEFF"u8))
            text = text[3..];
        if (text.EndsWith("\r\n"u8))
            text = text[..^2];
        else if (text.EndsWith("\n"u8))
            text = text[..^1];
        if (text.IsEmpty)
            throw new InvalidDataException("holds an empty password");

        if (IsManagedPassword(file.Span))
            throw new InvalidDataException("is a blob of msDS-ManagedPassword and not a password as text");

        // Asked rather than caught: the decoder's exception would name bytes of the password.
        if (!Utf8.IsValid(text))
            throw new InvalidDataException("is not UTF-8 text");

        var characters = GC.AllocateUninitializedArray<char>(text.Length, pinned: true);
        try
        {
            return new Password(characters.AsSpan(0, Encoding.UTF8.GetChars(text, characters)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(characters.AsSpan()));
        }
    }

    public KerberosKey DeriveLogOnKey(string realm, EncryptionType type, string salt, int iterations)
    {
        lock (_lock)
            return Derive(realm, type, salt, iterations);
    }

    /// <summary>Makes the keys that were made of another password: the same realms, types, salts and rounds.</summary>
    public void DeriveAs(Password other)
    {
        List<DerivedKey> keys;
        lock (other._lock)
            keys = [.. other._keys];
        lock (_lock)
        {
            foreach (var key in keys)
                Derive(key.Realm, key.Key.Type, key.Salt, key.Iterations);
        }
    }

    /// <summary>Keys of a type under the salts that the realm's KDCs named for the log-on, the last one first.</summary>
    public IReadOnlyList<KerberosKey> TicketKeys(string realm, EncryptionType type)
    {
        if (!EncryptionProfile.TryGet(type, out var profile))
            return [];
        lock (_lock)
        {
            // The salt is the account's, the same for every type; rounds belong to the type, and tickets name none.
            return _keys.Where(key => string.Equals(key.Realm, realm, StringComparison.OrdinalIgnoreCase))
                .Reverse()
                .Select(key => (key.Salt, Iterations: key.Key.Type == type ? key.Iterations : profile.DefaultIterations))
                .Distinct()
                .ToList()
                .ConvertAll(known => Derive(realm, type, known.Salt, known.Iterations));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _characters.Dispose();
            foreach (var key in _keys)
                key.Key.Dispose();
            _keys.Clear();
        }
    }

    public override string ToString() => "(secret)";

    /// <summary>Returns whether a file is a MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS §2.2.19): version 1, reserved 0, and its own length.</summary>
    private static bool IsManagedPassword(ReadOnlySpan<byte> file) =>
        file.Length >= 16 && file[..4].SequenceEqual("\u0001\0\0\0"u8) && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) == file.Length;

    private KerberosKey Derive(string realm, EncryptionType type, string salt, int iterations)
    {
        var known = _keys.FindIndex(key => key.Key.Type == type && key.Iterations == iterations
            && string.Equals(key.Salt, salt, StringComparison.Ordinal) && string.Equals(key.Realm, realm, StringComparison.OrdinalIgnoreCase));
        if (known >= 0)
            return _keys[known].Key;
        var made = EncryptionProfile.Get(type).DeriveFromPassword(MemoryMarshal.Cast<byte, char>(_characters.Span), salt, iterations);
        if (_keys.Count == MaxKeys)
            _keys.RemoveAt(0);
        _keys.Add(new DerivedKey(realm, salt, iterations, made));
        return made;
    }

    private sealed record DerivedKey(string Realm, string Salt, int Iterations, KerberosKey Key);
}
