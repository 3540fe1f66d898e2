using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>AES in CBC mode with ciphertext stealing and an all-zero initial vector (RFC 3962 §5, RFC 8009 §5).</summary>
/// <remarks>The last two blocks are always exchanged (CS3 of the addendum to NIST SP 800-38A).</remarks>
internal static class AesCts
{
    public const int BlockLength = 16;

    public static ReadOnlySpan<byte> ZeroVector => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <param name="key">Ke.</param>
    /// <param name="message">At least one block. Replaced by its ciphertext, which has the same length.</param>
    public static void Encrypt(PinnedSecret key, Span<byte> message)
    {
        // Padded with zeros and encrypted in place, so that no copy of the plaintext remains in memory.
        var blocks = new byte[PaddedLength(message.Length)];
        message.CopyTo(blocks);
        using (var aes = Aes.Create())
        {
            aes.SetKey(key.Span);
            aes.EncryptCbc(blocks, ZeroVector, blocks, PaddingMode.None);
        }

        SwapLastBlocks(blocks);
        blocks.AsSpan(0, message.Length).CopyTo(message);
    }

    /// <param name="key">Ke.</param>
    /// <param name="ciphertext">At least one block.</param>
    /// <param name="plaintext">Has the length of the ciphertext.</param>
    public static void Decrypt(PinnedSecret key, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        var blocks = new byte[PaddedLength(ciphertext.Length)];
        ciphertext.CopyTo(blocks);
        using (var aes = Aes.Create())
        {
            aes.SetKey(key.Span);
            if (blocks.Length > BlockLength)
                RestoreStolenBytes(aes, blocks, blocks.Length - ciphertext.Length);
            SwapLastBlocks(blocks);
            aes.DecryptCbc(blocks, ZeroVector, blocks, PaddingMode.None);
        }

        blocks.AsSpan(0, ciphertext.Length).CopyTo(plaintext);
        CryptographicOperations.ZeroMemory(blocks);
    }

    /// <summary>Restores the bytes that were removed from the truncated block to pad the plaintext's last block.</summary>
    /// <remarks>The padding was zeros, so the plain decryption of the full block shows the removed bytes.</remarks>
    private static void RestoreStolenBytes(Aes aes, Span<byte> blocks, int stolen)
    {
        var full = blocks[^(2 * BlockLength)..^BlockLength];
        Span<byte> decrypted = stackalloc byte[BlockLength];
        aes.DecryptEcb(full, decrypted, PaddingMode.None);
        decrypted[^stolen..].CopyTo(blocks[^stolen..]);
        CryptographicOperations.ZeroMemory(decrypted);
    }

    /// <summary>Exchanges the last two blocks. A single block stays as it is (RFC 3962 §5).</summary>
    public static void SwapLastBlocks(Span<byte> blocks)
    {
        if (blocks.Length == BlockLength)
            return;
        Span<byte> last = stackalloc byte[BlockLength];
        blocks[^BlockLength..].CopyTo(last);
        blocks[^(2 * BlockLength)..^BlockLength].CopyTo(blocks[^BlockLength..]);
        last.CopyTo(blocks[^(2 * BlockLength)..]);
    }

    public static int PaddedLength(int length) => (length + BlockLength - 1) / BlockLength * BlockLength;
}
