using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 4757 §4: KERB_CHECKSUM_HMAC_MD5 (-138). MS-SFU §2.2.1 demands it in PA-FOR-USER whatever the type of the key, so it stands
/// apart from the encryption types.</summary>
internal static class HmacMd5Checksum
{
    public const int Length = HMACMD5.HashSizeInBytes;

    /// <summary>Ksign = HMAC(K, "signaturekey\0"), tmp = MD5(T | data) with T the usage as four bytes, the lowest first,
    /// CHKSUM = HMAC(Ksign, tmp).</summary>
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

    /// <summary>Compares in fixed time.</summary>
    public static bool Verify(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data, ReadOnlySpan<byte> checksum) =>
        CryptographicOperations.FixedTimeEquals(Compute(key, usage, data), checksum);
}
