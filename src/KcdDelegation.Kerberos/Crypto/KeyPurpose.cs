namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The octet after the key usage, which distinguishes the three keys of a usage (RFC 3961 §5.3).</summary>
internal enum KeyPurpose : byte
{
    /// <summary>Kc: the checksum of data that is not encrypted.</summary>
    Checksum = 0x99,

    /// <summary>Ke: encryption.</summary>
    Encryption = 0xAA,

    /// <summary>Ki: the integrity of encrypted data.</summary>
    Integrity = 0x55,
}
