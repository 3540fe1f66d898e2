using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The platform's cipher and hash objects under Ke and Ki of one usage, for one message at a time.</summary>
/// <remarks>The one-shot methods set up the key for every call, which takes several times as long as the encryption itself.</remarks>
internal sealed class PlatformCipherObjects : IDisposable
{
    /// <summary>The length of the cipher state (16 zeros), which precedes the ciphertext in the hash (RFC 8009 §5).</summary>
    private const int HeadLength = AesCts.BlockLength;

    private readonly EncryptionProfile _profile;
    private readonly IncrementalHash _hmac;
    private readonly ICryptoTransform _cbc;

    /// <summary>The cipher state, then the message in whole blocks. Between messages it holds the last ciphertext.</summary>
    private byte[] _buffer = [];

    /// <summary>The chaining value of <see cref="_cbc"/>: the last block that it returned.</summary>
    private Vector128<byte> _chain;

    public PlatformCipherObjects(KerberosKey key, KeyUsage usage)
    {
        _profile = key.Profile;
        var encryptionKey = key.Derive(usage, KeyPurpose.Encryption);
        var integrityKey = key.Derive(usage, KeyPurpose.Integrity);
        using (var aes = Aes.Create())
        {
            aes.Mode = CipherMode.CBC;
            aes.Padding = PaddingMode.None;
            aes.IV = AesCts.ZeroVector.ToArray();
            aes.SetKey(encryptionKey.Span);
            _cbc = aes.CreateEncryptor();
        }
        _hmac = IncrementalHash.CreateHMAC(_profile.Hash, integrityKey.Span);
        encryptionKey.ThrowIfZeroed();
        integrityKey.ThrowIfZeroed();
    }

    public void Seal(Span<byte> message)
    {
        var text = message[..^_profile.ChecksumLength];
        if (_profile.TagCovers == TagCoverage.Plaintext)
            _hmac.AppendData(text);
        Encrypt(text);
        if (_profile.TagCovers == TagCoverage.Ciphertext)
            _hmac.AppendData(_buffer, 0, HeadLength + text.Length);

        Span<byte> hash = stackalloc byte[_hmac.HashLengthInBytes];
        _hmac.GetHashAndReset(hash);
        hash[.._profile.ChecksumLength].CopyTo(message[^_profile.ChecksumLength..]);
    }

    public void Dispose()
    {
        _cbc.Dispose();
        _hmac.Dispose();
    }

    /// <summary>Encrypts like <see cref="AesCts.Encrypt"/>, with an encryptor that keeps its chaining value between messages.</summary>
    private void Encrypt(Span<byte> text)
    {
        int length = AesCts.PaddedLength(text.Length);
        if (_buffer.Length < HeadLength + length)
            _buffer = GC.AllocateArray<byte>(HeadLength + length, pinned: true);
        var blocks = _buffer.AsSpan(HeadLength, length);
        text.CopyTo(blocks);
        blocks[text.Length..].Clear();

        // The encryptor adds its chaining value to the first block. Adding it here as well cancels it: the message starts with an all-zero
        // initial vector, without the cost of a reset.
        (Vector128.Create<byte>(blocks) ^ _chain).CopyTo(blocks);
        _cbc.TransformBlock(_buffer, HeadLength, length, _buffer, HeadLength);
        _chain = Vector128.Create<byte>(blocks[^AesCts.BlockLength..]);

        AesCts.SwapLastBlocks(blocks);
        blocks[..text.Length].CopyTo(text);
    }
}
