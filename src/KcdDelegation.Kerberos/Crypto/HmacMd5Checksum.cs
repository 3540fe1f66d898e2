namespace KcdDelegation.Kerberos.Crypto;

internal static class HmacMd5Checksum
{
    public static byte[] Compute(KerberosKey key, KeyUsage usage, ReadOnlySpan<byte> data) => throw new NotSupportedException();
}
