namespace KcdDelegation.Kerberos.Tests.Crypto;

internal sealed class ImplementedTypes : TheoryData<EncryptionType>
{
    public ImplementedTypes() => AddRange(
        EncryptionType.Aes128CtsHmacSha1,
        EncryptionType.Aes256CtsHmacSha1,
        EncryptionType.Aes128CtsHmacSha256,
        EncryptionType.Aes256CtsHmacSha384);
}
