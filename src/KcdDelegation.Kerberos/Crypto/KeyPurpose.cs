namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 3961 §5.3: the octet behind the key usage tells the three keys of a usage apart.</summary>
internal enum KeyPurpose : byte
{
    /// <summary>Kc: checksums of data that is not encrypted.</summary>
    Checksum = 0x99,

    /// <summary>Ke: encryption.</summary>
    Encryption = 0xAA,

    /// <summary>Ki: the integrity of what is encrypted.</summary>
    Integrity = 0x55,
}
