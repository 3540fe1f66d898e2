using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Exchanges;

internal static class Nonce
{
    /// <summary>Creates a nonce of 31 random bits. RFC 4120 §5.4.1 allows 32, but peers read them as a signed number.</summary>
    public static uint Create()
    {
        Span<byte> bytes = stackalloc byte[4];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) & 0x7FFF_FFFF;
    }
}
