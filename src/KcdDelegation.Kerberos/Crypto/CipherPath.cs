namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The implementation that encrypts authenticators. Everything else always uses the platform's cryptography.</summary>
internal enum CipherPath
{
    /// <summary>The accelerated implementation, unless the processor lacks the instructions, the system is in FIPS mode, or <see
    /// cref="CipherPathSelection.SwitchName"/> is set.</summary>
    Automatic,

    /// <summary>The platform's cipher and hash objects, reused.</summary>
    Platform,

    /// <summary>The processor's AES instructions and hashes in managed code.</summary>
    Accelerated,
}
