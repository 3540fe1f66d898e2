using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 3962 §5: AES in CBC mode with ciphertext stealing, an all-zero initial vector, and the last two blocks always swapped
/// (CS3 of NIST SP 800-38A addendum). RFC 8009 §5 uses the same.</summary>
internal static class AesCts
{
    public const int BlockLength = 16;

    public static ReadOnlySpan<byte> ZeroVector => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <param name="key">Ke.</param>
    /// <param name="message">One block at least; replaced by its ciphertext of the same length.</param>
    public static void Encrypt(PinnedSecret key, Span<byte> message)
    {
        // Padded with zeros, and encrypted in place, so that no copy of the plaintext stays behind.
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
    /// <param name="ciphertext">One block at least.</param>
    /// <param name="plaintext">As long as the ciphertext.</param>
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

    /// <summary>The end of the truncated block was stolen to pad the plaintext's last block with: since that was padded with zeros, the
    /// bare decryption of the full block shows it.</summary>
    private static void RestoreStolenBytes(Aes aes, Span<byte> blocks, int stolen)
    {
        var full = blocks[^(2 * BlockLength)..^BlockLength];
        Span<byte> decrypted = stackalloc byte[BlockLength];
        aes.DecryptEcb(full, decrypted, PaddingMode.None);
        decrypted[^stolen..].CopyTo(blocks[^stolen..]);
        CryptographicOperations.ZeroMemory(decrypted);
    }

    /// <summary>RFC 3962 §5: the last two blocks are always exchanged; a single block stays as it is.</summary>
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
