using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>FIPS 180-4 §5.1: what SHA-1 and SHA-2 put behind a message.</summary>
internal static class HashPadding
{
    /// <param name="buffer">Room for two blocks; the end of the message stands at its beginning.</param>
    /// <param name="restLength">Bytes of the message in <paramref name="buffer"/>.</param>
    /// <param name="blockLength">Bytes of a block; an eighth of it holds the length.</param>
    /// <param name="messageLength">Bytes of the whole message.</param>
    /// <returns>The last block, or the last two.</returns>
    public static Span<byte> Append(Span<byte> buffer, int restLength, int blockLength, int messageLength)
    {
        var padded = buffer[..(restLength + 1 + (blockLength / 8) <= blockLength ? blockLength : 2 * blockLength)];
        padded[restLength..].Clear();
        padded[restLength] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padded[^sizeof(long)..], 8L * messageLength);
        return padded;
    }
}
