using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The checksum KERB_CHECKSUM_HMAC_MD5 (-138) of RFC 4757 §4.</summary>
/// <remarks>MS-SFU §2.2.1 requires it in PA-FOR-USER for keys of every type, so it is separate from the encryption types.</remarks>
internal static class HmacMd5Checksum
{
    public const int Length = HMACMD5.HashSizeInBytes;

    /// <summary>Computes CHKSUM = HMAC(Ksign, tmp) with Ksign = HMAC(K, "signaturekey\0") and tmp = MD5(T | data).</summary>
    /// <remarks>T is the key usage as four bytes in little-endian order.</remarks>
    public static byte[] Compute(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data)
    {
        Span<byte> signingKey = stackalloc byte[Length];
        Span<byte> digest = stackalloc byte[Length];
        Span<byte> usageBytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(usageBytes, (int)usage);
        HMACMD5.HashData(key.Bytes, "signaturekey\0"u8, signingKey);
        key.ThrowIfDisposed();
        using (var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5))
        {
            md5.AppendData(usageBytes);
            md5.AppendData(data);
            md5.GetHashAndReset(digest);
        }
        var checksum = HMACMD5.HashData(signingKey, digest);
        CryptographicOperations.ZeroMemory(signingKey);
        return checksum;
    }
}
