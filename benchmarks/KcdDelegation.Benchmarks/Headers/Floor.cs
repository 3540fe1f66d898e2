using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Crypto;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>The floor of docs/performance.md, which is independent of the product: creates the bytes of a header of type 18 with
/// cryptography and copies only.</summary>
/// <remarks>52 random bytes from a pool; time, microseconds, subkey and sequence number are patched into a prepared authenticator;
/// AES-256-CBC with ciphertext stealing uses the processor's instructions; HMAC-SHA1 uses precomputed states and libcrypto's SHA-1; the
/// prepared prefix is copied and the rest is encoded in base64. No checks, no uniqueness, one thread.</remarks>
internal sealed unsafe partial class Floor : IDisposable
{
    private const int Block = 16;
    private const int HashBlock = 64;
    private const int Digest = 20;

    private readonly HeaderSample _sample;
    private readonly char[] _prefix;
    private readonly byte[] _random = new byte[4096];
    private readonly Vector128<byte>[] _roundKeys = new Vector128<byte>[15];
    private readonly byte[] _time = new byte[15];
    private readonly byte* _padded = (byte*)NativeMemory.AllocZeroed(512);
    private readonly ShaState* _inner = NewState();
    private readonly ShaState* _outer = NewState();
    private readonly ShaState* _state = (ShaState*)NativeMemory.AllocZeroed((nuint)sizeof(ShaState));
    private int _used = 4096;
    private long _second;

    public Floor(HeaderSample sample)
    {
        _sample = sample;
        _prefix = Encoding.ASCII.GetChars(sample.Prefix);
        var expanded = new byte[AesKeySchedule.Length(sample.EncryptionKey.Length)];
        AesKeySchedule.Expand(sample.EncryptionKey, expanded);
        for (var round = 0; round < _roundKeys.Length; round++)
            _roundKeys[round] = Vector128.Create<byte>(expanded.AsSpan(round * Block));
        Absorb(_inner, 0x36);
        Absorb(_outer, 0x5C);
    }

    /// <summary>Writes the header value into the caller's buffer and returns its length.</summary>
    public int Write(Span<byte> destination)
    {
        Span<byte> buffer = stackalloc byte[2 + _sample.TailLength];
        var tail = Make(buffer);
        _sample.Prefix.CopyTo(destination);
        Base64.EncodeToUtf8(tail, destination[_sample.Prefix.Length..], out _, out var written);
        return _sample.Prefix.Length + written;
    }

    /// <summary>Creates the header value as a string.</summary>
    public string Create()
    {
        Span<byte> buffer = stackalloc byte[2 + _sample.TailLength];
        var tail = Make(buffer);
        return string.Create(_prefix.Length + Base64.GetMaxEncodedToUtf8Length(tail.Length), new Parts(_prefix, tail), static (value,
            parts) =>
        {
            parts.Prefix.CopyTo(value);
            Convert.TryToBase64Chars(parts.Tail, value[parts.Prefix.Length..], out _);
        });
    }

    /// <summary>Runs the cryptography alone, for comparison with openssl speed.</summary>
    public void Encrypt(Span<byte> message)
    {
        Authenticate(message);
        EncryptBlocks(message[..^_sample.TagLength]);
    }

    public void Dispose()
    {
        NativeMemory.Free(_padded);
        NativeMemory.Free(_inner);
        NativeMemory.Free(_outer);
        NativeMemory.Free(_state);
    }

    [SkipLocalsInit]
    private ReadOnlySpan<byte> Make(Span<byte> buffer)
    {
        var sample = _sample;
        sample.Carry.CopyTo(buffer);
        var message = buffer.Slice(sample.Carry.Length, sample.TailLength);
        var text = message[Block..];
        sample.Authenticator.CopyTo(text);

        var ticks = TimeProvider.System.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var second = ticks / TimeSpan.TicksPerSecond;
        if (second != _second)
            Format(second);
        var microseconds = 32_768 + (int)(ticks % TimeSpan.TicksPerSecond * 967_232 / TimeSpan.TicksPerSecond);
        text[sample.Microseconds] = (byte)(microseconds >> 16);
        text[sample.Microseconds + 1] = (byte)(microseconds >> 8);
        text[sample.Microseconds + 2] = (byte)microseconds;
        _time.CopyTo(text[sample.Time..]);

        var random = Take(Block + sample.SubkeyLength + 4);
        random[..Block].CopyTo(message);
        random.Slice(Block, sample.SubkeyLength).CopyTo(text[sample.Subkey..]);
        random[^4..].CopyTo(text[sample.SequenceNumber..]);
        text[sample.SequenceNumber] = (byte)((text[sample.SequenceNumber] & 0x3F) | 0x40);

        Encrypt(message);
        return buffer[..(sample.Carry.Length + sample.TailLength)];
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (_used + count > _random.Length)
        {
            RandomNumberGenerator.Fill(_random);
            _used = 0;
        }
        _used += count;
        return _random.AsSpan(_used - count, count);
    }

    private void Format(long second)
    {
        _second = second;
        DateTimeOffset.FromUnixTimeSeconds(second).TryFormat(_time, out _, "yyyyMMddHHmmss'Z'",
            System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Encrypts as in RFC 3962 §5: CBC with a zero vector, the last block padded with zeros, the last two blocks exchanged and
    /// truncated.</summary>
    private void EncryptBlocks(Span<byte> text)
    {
        ref var data = ref MemoryMarshal.GetReference(text);
        ref var keys = ref MemoryMarshal.GetArrayDataReference(_roundKeys);
        var (k0, k1, k2, k3, k4) = (keys, Unsafe.Add(ref keys, 1), Unsafe.Add(ref keys, 2), Unsafe.Add(ref keys, 3), Unsafe.Add(ref keys,
            4));
        var (k5, k6, k7, k8, k9) = (Unsafe.Add(ref keys, 5), Unsafe.Add(ref keys, 6), Unsafe.Add(ref keys, 7), Unsafe.Add(ref keys, 8),
            Unsafe.Add(ref keys, 9));
        var (k10, k11, k12, k13, k14) = (Unsafe.Add(ref keys, 10), Unsafe.Add(ref keys, 11), Unsafe.Add(ref keys, 12),
            Unsafe.Add(ref keys, 13), Unsafe.Add(ref keys, 14));
        var (chain, before) = (Vector128<byte>.Zero, Vector128<byte>.Zero);
        var whole = (text.Length - 1) / Block * Block;
        Span<byte> last = stackalloc byte[Block];
        last.Clear();
        text[whole..].CopyTo(last);
        for (var at = 0; at <= whole; at += Block)
        {
            if (at == whole)
                before = chain;
            var block = at < whole ? Vector128.LoadUnsafe(ref data, (nuint)at) : Vector128.Create<byte>(last);
            block ^= chain ^ k0;
            block = X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(block, k1), k2), k3), k4), k5);
            block = X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(block, k6), k7), k8), k9), k10);
            chain = X86Aes.EncryptLast(X86Aes.Encrypt(X86Aes.Encrypt(X86Aes.Encrypt(block, k11), k12), k13), k14);
            if (at < whole)
                chain.StoreUnsafe(ref data, (nuint)at);
        }
        chain.StoreUnsafe(ref data, (nuint)(whole - Block));
        before.CopyTo(last);
        last[..(text.Length - whole)].CopyTo(text[whole..]);
    }

    /// <summary>Computes HMAC (RFC 2104) from the states after the padded key.</summary>
    private void Authenticate(Span<byte> message)
    {
        Span<byte> digest = stackalloc byte[Digest];
        Hash(_inner, message[..^_sample.TagLength], digest);
        Hash(_outer, digest, digest);
        digest[.._sample.TagLength].CopyTo(message[^_sample.TagLength..]);
    }

    /// <summary>Writes the padding of SHA-1 (FIPS 180-4 §5.1.1), so that libcrypto runs the block function alone.</summary>
    private void Hash(ShaState* keyed, ReadOnlySpan<byte> data, Span<byte> digest)
    {
        var length = (data.Length + 9 + HashBlock - 1) / HashBlock * HashBlock;
        var padded = new Span<byte>(_padded, length);
        data.CopyTo(padded);
        padded[data.Length..].Clear();
        padded[data.Length] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padded[^8..], (HashBlock + data.Length) * 8L);
        *_state = *keyed;
        _ = SHA1_Update(_state, _padded, (nuint)length);
        for (var word = 0; word < Digest / 4; word++)
            BinaryPrimitives.WriteUInt32BigEndian(digest[(word * 4)..], _state->Words[word]);
    }

    private static ShaState* NewState()
    {
        var state = (ShaState*)NativeMemory.AllocZeroed((nuint)sizeof(ShaState));
        _ = SHA1_Init(state);
        return state;
    }

    private void Absorb(ShaState* state, byte padding)
    {
        new Span<byte>(_padded, HashBlock).Fill(padding);
        for (var i = 0; i < _sample.IntegrityKey.Length; i++)
            _padded[i] ^= _sample.IntegrityKey[i];
        _ = SHA1_Update(state, _padded, HashBlock);
    }

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial int SHA1_Init(ShaState* state);

    [LibraryImport("libcrypto.so.3")]
    [SuppressGCTransition]
    private static partial int SHA1_Update(ShaState* state, byte* data, nuint length);

    /// <summary>SHA_CTX of openssl/sha.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ShaState
    {
        public fixed uint Words[5];
        private readonly uint _lengthLow;
        private readonly uint _lengthHigh;
        private fixed uint _data[16];
        private readonly uint _count;
    }

    private readonly ref struct Parts(ReadOnlySpan<char> prefix, ReadOnlySpan<byte> tail)
    {
        public readonly ReadOnlySpan<char> Prefix = prefix;
        public readonly ReadOnlySpan<byte> Tail = tail;
    }
}
