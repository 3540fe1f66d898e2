using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A password in pinned memory and the keys derived from it. String-to-key is slow by design (RFC 3962 §4), so each key is derived
/// once. Thread-safe.</summary>
internal sealed class Password(ReadOnlySpan<char> characters) : IDisposable
{
    // Salt and iterations come from the network, so the number of remembered keys is bounded.
    private const int MaxKeys = 16;

    private readonly PinnedSecret _characters = new(MemoryMarshal.AsBytes(characters));
    private readonly Lock _lock = new();
    private readonly List<DerivedKey> _keys = [];

    /// <summary>Reads a file of UTF-8 text. A byte order mark at its start and one line end at its end are not part of the
    /// password.</summary>
    /// <exception cref="InvalidDataException">The file is not UTF-8, or empty.</exception>
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

        // Checked first because the decoder's exception would contain bytes of the password.
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

    /// <summary>Returns a copy of the password in UTF-8, which the caller disposes.</summary>
    public PinnedSecret ToUtf8()
    {
        var text = MemoryMarshal.Cast<byte, char>(_characters.Span);
        var bytes = new PinnedSecret(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, bytes.Span);
        _characters.ThrowIfZeroed();
        return bytes;
    }

    public KerberosKey DeriveLogOnKey(string realm, EncryptionType type, string salt, int iterations)
    {
        lock (_lock)
            return Derive(realm, type, salt, iterations);
    }

    /// <summary>Derives the same keys that were derived from another password: same realms, types, salts and iterations.</summary>
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

    /// <summary>Returns keys of a type under the salts that the realm's KDCs named for the log-on, the last salt first.</summary>
    public IReadOnlyList<KerberosKey> TicketKeys(string realm, EncryptionType type)
    {
        if (!EncryptionProfile.TryGet(type, out var profile))
            return [];
        lock (_lock)
        {
            // The salt belongs to the account and is the same for every type. Iterations belong to the type; tickets name none.
            return _keys.Where(key => string.Equals(key.Realm, realm, StringComparison.OrdinalIgnoreCase))
                .Reverse()
                .Select(key => (key.Salt, Iterations: key.Key.Type == type ? key.Iterations : profile.DefaultIterations))
                .Distinct()
                .ToList()
                .ConvertAll(known => Derive(realm, type, known.Salt, known.Iterations));
        }
    }

    /// <summary>Returns whether two passwords are the same, in constant time.</summary>
    public bool HasSameCharacters(Password other) => CryptographicOperations.FixedTimeEquals(_characters.Span, other._characters.Span);

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

    /// <summary>Returns whether a file is a MSDS-MANAGEDPASSWORD_BLOB (MS-ADTS §2.2.19): version 1, reserved 0, and its own
    /// length.</summary>
    private static bool IsManagedPassword(ReadOnlySpan<byte> file) =>
        file.Length >= 16 && file[..4].SequenceEqual("\u0001\0\0\0"u8) && BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) == file.Length;

    private KerberosKey Derive(string realm, EncryptionType type, string salt, int iterations)
    {
        var known = _keys.FindIndex(key => key.Key.Type == type && key.Iterations == iterations
            && string.Equals(key.Salt, salt, StringComparison.Ordinal)
            && string.Equals(key.Realm, realm, StringComparison.OrdinalIgnoreCase));
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
