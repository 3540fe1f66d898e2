namespace KcdDelegation.Kerberos;

/// <summary>Kerberos encryption types by their assigned numbers (RFC 3962 §7, RFC 8009 §8). Only the AES types are implemented.</summary>
public enum EncryptionType
{
    /// <summary>aes128-cts-hmac-sha1-96 (RFC 3962).</summary>
    Aes128CtsHmacSha1 = 17,

    /// <summary>aes256-cts-hmac-sha1-96 (RFC 3962).</summary>
    Aes256CtsHmacSha1 = 18,

    /// <summary>aes128-cts-hmac-sha256-128 (RFC 8009).</summary>
    Aes128CtsHmacSha256 = 19,

    /// <summary>aes256-cts-hmac-sha384-192 (RFC 8009).</summary>
    Aes256CtsHmacSha384 = 20,

    /// <summary>rc4-hmac (RFC 4757), deprecated by RFC 8429. Recognized in tickets and errors, never used.</summary>
    Rc4Hmac = 23,
}
