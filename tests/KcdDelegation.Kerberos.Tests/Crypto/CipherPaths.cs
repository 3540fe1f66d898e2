using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

internal sealed class CipherPaths : TheoryData<EncryptionType, CipherPath>
{
    public CipherPaths()
    {
        foreach (var type in new ImplementedTypes())
        {
            Add(type.Data, CipherPath.Platform);
            Add(type.Data, CipherPath.Accelerated);
        }
    }

    public static IReadOnlyList<CipherPath> OfThisProcessor { get; } =
        CipherPathSelection.CanAccelerate ? [CipherPath.Platform, CipherPath.Accelerated] : [CipherPath.Platform];
}
