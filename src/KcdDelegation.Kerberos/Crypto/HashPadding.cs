using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The padding of SHA-1 and SHA-2 (FIPS 180-4 §5.1).</summary>
internal static class HashPadding
{
    /// <param name="buffer">Two blocks long. Starts with the end of the message.</param>
    /// <param name="restLength">The number of message bytes in <paramref name="buffer"/>.</param>
    /// <param name="blockLength">The length of a block in bytes. An eighth of it holds the message length.</param>
    /// <param name="messageLength">The length of the whole message in bytes.</param>
    /// <returns>The last block, or the last two blocks.</returns>
    public static Span<byte> Append(Span<byte> buffer, int restLength, int blockLength, int messageLength)
    {
        var padded = buffer[..(restLength + 1 + (blockLength / 8) <= blockLength ? blockLength : 2 * blockLength)];
        padded[restLength..].Clear();
        padded[restLength] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padded[^sizeof(long)..], 8L * messageLength);
        return padded;
    }
}
