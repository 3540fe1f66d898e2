namespace KcdDelegation.Kerberos.Tests.Crypto;

internal static class Hex
{
    /// <summary>Vectors are written as the RFCs print them, with blanks.</summary>
    public static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    public static string Text(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
