namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Checksum types by their assigned numbers (RFC 3961 §8, RFC 3962 §7, RFC 8009 §8, RFC 4757 §4, RFC 4121 §4.1.1).</summary>
internal enum ChecksumType
{
    HmacSha1Aes128 = 15,
    HmacSha1Aes256 = 16,
    HmacSha256Aes128 = 19,
    HmacSha384Aes256 = 20,
    HmacMd5 = -138,
    Gss = 0x8003,
}
