namespace KcdDelegation.Kerberos.Crypto;

/// <summary>What to say of the encryption types that this engine does not have, so that an administrator knows which account to mend.</summary>
internal static class UnsupportedEncryptionType
{
    public static KerberosException Refuse(EncryptionType type) => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.EncryptionTypeRefused,
        Detail = $"encryption type {(int)type}{GetName((int)type)} is not implemented, only AES (17 to 20) is: allow AES for the account "
            + "(msDS-SupportedEncryptionTypes), then reset its password, so that it gets AES keys, and export its keytab anew",
    });

    /// <summary>The registry of RFC 3961 §8 and the RFCs that added to it.</summary>
    private static string GetName(int type) => type switch
    {
        1 => " (des-cbc-crc)",
        2 => " (des-cbc-md4)",
        3 => " (des-cbc-md5)",
        5 => " (des3-cbc-md5)",
        7 => " (des3-cbc-sha1)",
        16 => " (des3-cbc-sha1-kd)",
        23 => " (rc4-hmac)",
        24 => " (rc4-hmac-exp)",
        25 => " (camellia128-cts-cmac)",
        26 => " (camellia256-cts-cmac)",
        _ => "",
    };
}
