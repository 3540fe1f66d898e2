namespace KcdDelegation.Kerberos.Tests.Crypto;

internal static class Hex
{
    /// <summary>Decodes vectors with spaces, as printed in the RFCs.</summary>
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    public static string Text(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
