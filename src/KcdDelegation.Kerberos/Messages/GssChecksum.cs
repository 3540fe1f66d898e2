using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Messages;

/// <summary>The authenticator's checksum of type 0x8003 (RFC 4121 §4.1.1): length 16 (LE32), Bnd (16 bytes), flags (LE32).</summary>
internal static class GssChecksum
{
    public const int Length = 24;
    public const uint Mutual = 2;
    public const uint Replay = 4;
    public const uint Sequence = 8;
    public const uint Confidentiality = 16;
    public const uint Integrity = 32;

    /// <param name="flags">The context flags of RFC 4121 §4.1.1.1.</param>
    /// <param name="channelBinding">The application data of the channel binding, or empty for none.</param>
    public static byte[] Create(uint flags, ReadOnlySpan<byte> channelBinding)
    {
        var value = new byte[Length];
        BinaryPrimitives.WriteInt32LittleEndian(value, 16);
        if (!channelBinding.IsEmpty)
            Bind(channelBinding, value.AsSpan(4, 16));
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(20), flags);
        return value;
    }

    /// <summary>Computes Bnd (RFC 4121 §4.1.1.2): MD5 of the address types and lengths (all zero), the length of the application data, and
    /// the data.</summary>
    public static void Bind(ReadOnlySpan<byte> applicationData, Span<byte> destination)
    {
        var input = new byte[20 + applicationData.Length];
        BinaryPrimitives.WriteInt32LittleEndian(input.AsSpan(16), applicationData.Length);
        applicationData.CopyTo(input.AsSpan(20));
        MD5.HashData(input, destination);
    }
}
