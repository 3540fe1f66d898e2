using System.Globalization;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The names of encryption types in IANA's Kerberos registry (RFC 3961 §8), as administrators know them.</summary>
internal static class EncryptionTypeNames
{
    /// <summary>Returns the name, such as <c>rc4-hmac</c>, or <c>encryption type N</c> for an unregistered number.</summary>
    public static string Get(int type) => type switch
    {
        1 => "des-cbc-crc",
        2 => "des-cbc-md4",
        3 => "des-cbc-md5",
        5 => "des3-cbc-md5",
        7 => "des3-cbc-sha1",
        16 => "des3-cbc-sha1-kd",
        17 => "aes128-cts-hmac-sha1-96",
        18 => "aes256-cts-hmac-sha1-96",
        19 => "aes128-cts-hmac-sha256-128",
        20 => "aes256-cts-hmac-sha384-192",
        23 => "rc4-hmac",
        24 => "rc4-hmac-exp",
        25 => "camellia128-cts-cmac",
        26 => "camellia256-cts-cmac",
        _ => string.Create(CultureInfo.InvariantCulture, $"encryption type {type}"),
    };
}
