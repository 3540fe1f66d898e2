namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The error for encryption types that are not implemented.</summary>
internal static class UnsupportedEncryptionType
{
    public static KerberosException CreateException(EncryptionType type) => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.EncryptionTypeRefused,
        Detail = $"{EncryptionTypeNames.Get((int)type)} ({(int)type}) is not implemented, "
            + "only the AES types 17 to 20 are: allow AES for the account (msDS-SupportedEncryptionTypes), reset its password so that "
                + "it gets AES keys, and export its keytab again",
    });
}
