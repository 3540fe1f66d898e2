namespace KcdDelegation.Kerberos.Crypto;

/// <summary>Whose cryptography makes authenticators. Everything else always uses the platform's.</summary>
internal enum CipherPath
{
    /// <summary>The accelerated path, unless the processor lacks the instructions, the system is in FIPS mode, or
    /// <see cref="CipherPathSelection.SwitchName"/> is set.</summary>
    Automatic,

    /// <summary>The platform's cipher and hash objects, reused.</summary>
    Platform,

    /// <summary>The processor's AES instructions and hashes in managed code.</summary>
    Accelerated,
}
