using System.Buffers.Binary;
using System.Buffers.Text;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Benchmarks.Headers;

/// <summary>A manual implementation with System.Security.Cryptography for types 17 and 18: one CBC encryptor that is never reset (the
/// first block cancels its chain), one IncrementalHash, precomputed random bytes and a prepared prefix. No checks, no
/// uniqueness, one thread.</summary>
internal sealed class PlainBcl : IDisposable
{
    private const int Block = 16;

    private readonly HeaderSample _sample;
    private readonly char[] _prefix;
    private readonly byte[] _random = new byte[4096];
    private readonly byte[] _time = new byte[15];
    private readonly byte[] _blocks;
    private readonly ICryptoTransform _cbc;
    private readonly IncrementalHash _hmac;
    private Vector128<byte> _chain;
    private int _used = 4096;
    private long _second;

    public PlainBcl(HeaderSample sample)
    {
        _sample = sample;
        _prefix = Encoding.ASCII.GetChars(sample.Prefix);
        _blocks = new byte[(Block + sample.Authenticator.Length + Block - 1) / Block * Block];
        using var aes = Aes.Create();
        (aes.Mode, aes.Padding, aes.IV) = (CipherMode.CBC, PaddingMode.None, new byte[Block]);
        aes.SetKey(sample.EncryptionKey);
        _cbc = aes.CreateEncryptor();
        _hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA1, sample.IntegrityKey);
    }

    public int Write(Span<byte> destination)
    {
        Span<byte> buffer = stackalloc byte[2 + _sample.TailLength];
        var tail = Make(buffer);
        _sample.Prefix.CopyTo(destination);
        Base64.EncodeToUtf8(tail, destination[_sample.Prefix.Length..], out _, out var written);
        return _sample.Prefix.Length + written;
    }

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

    public void Dispose()
    {
        _cbc.Dispose();
        _hmac.Dispose();
    }

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
        {
            _second = second;
            DateTimeOffset.FromUnixTimeSeconds(second).TryFormat(_time, out _, "yyyyMMddHHmmss'Z'",
                System.Globalization.CultureInfo.InvariantCulture);
        }
        var microseconds = 32_768 + (int)(ticks % TimeSpan.TicksPerSecond * 967_232 / TimeSpan.TicksPerSecond);
        Span<byte> three = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(three, microseconds);
        three[1..].CopyTo(text[sample.Microseconds..]);
        _time.CopyTo(text[sample.Time..]);

        var random = Take(Block + sample.SubkeyLength + 4);
        random[..Block].CopyTo(message);
        random.Slice(Block, sample.SubkeyLength).CopyTo(text[sample.Subkey..]);
        random[^4..].CopyTo(text[sample.SequenceNumber..]);
        text[sample.SequenceNumber] = (byte)((text[sample.SequenceNumber] & 0x3F) | 0x40);

        Seal(message);
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

    private void Seal(Span<byte> message)
    {
        var text = message[..^_sample.TagLength];
        _hmac.AppendData(text);
        Span<byte> digest = stackalloc byte[SHA1.HashSizeInBytes];
        _hmac.GetHashAndReset(digest);
        digest[.._sample.TagLength].CopyTo(message[^_sample.TagLength..]);

        var blocks = _blocks.AsSpan();
        text.CopyTo(blocks);
        blocks[text.Length..].Clear();
        (Vector128.Create<byte>(blocks) ^ _chain).CopyTo(blocks);
        _cbc.TransformBlock(_blocks, 0, _blocks.Length, _blocks, 0);
        _chain = Vector128.Create<byte>(blocks[^Block..]);
        // RFC 3962 §5: the last two blocks are exchanged.
        var before = Vector128.Create<byte>(blocks[^(2 * Block)..]);
        _chain.CopyTo(blocks[^(2 * Block)..]);
        before.CopyTo(blocks[^Block..]);
        blocks[..text.Length].CopyTo(text);
    }

    private readonly ref struct Parts(ReadOnlySpan<char> prefix, ReadOnlySpan<byte> tail)
    {
        public readonly ReadOnlySpan<char> Prefix = prefix;
        public readonly ReadOnlySpan<byte> Tail = tail;
    }
}
