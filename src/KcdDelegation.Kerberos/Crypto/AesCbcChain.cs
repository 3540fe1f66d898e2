using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>AES-CBC with an all-zero initial vector, in place, by the processor's AES instructions.</summary>
/// <remarks>Each AES round waits for the one before it. A hash that runs between two blocks uses the idle execution units. Runs in
/// constant time: no branch and no address depends on a key or on data.</remarks>
[StructLayout(LayoutKind.Auto)]
internal ref struct AesCbcChain(ref byte roundKeys, int rounds) : IHashCompanion
{
    private readonly ref byte _roundKeys = ref roundKeys;
    private ref byte _blocks;
    private int _length;
    private int _encrypted;

    /// <summary>The last two ciphertext blocks, which ciphertext stealing exchanges.</summary>
    private Vector128<byte> _last;
    private Vector128<byte> _beforeLast;

    /// <summary>Sets the whole blocks to encrypt next.</summary>
    public void Continue(Span<byte> blocks)
    {
        _blocks = ref MemoryMarshal.GetReference(blocks);
        _length = blocks.Length / AesCts.BlockLength * AesCts.BlockLength;
        _encrypted = 0;
    }

    /// <summary>Sets the blocks that hold the first <paramref name="length"/> bytes as those to encrypt next.</summary>
    /// <param name="blocks">Padded with zeros.</param>
    /// <param name="length">The number of bytes without the padding.</param>
    public void ContinuePadded(Span<byte> blocks, int length) =>
        Continue(blocks[..Math.Min(blocks.Length, length + AesCts.BlockLength - 1)]);

    /// <summary>Encrypts until <paramref name="length"/> bytes, or all of them, are done.</summary>
    public void EncryptUntil(int length)
    {
        while (_encrypted < Math.Min(length, _length))
            Step();
    }

    /// <summary>Exchanges the last two blocks and truncates the new last block (RFC 3962 §5).</summary>
    /// <param name="text">The whole message, encrypted except for this step.</param>
    public readonly void StealCiphertext(Span<byte> text)
    {
        int last = (text.Length - 1) / AesCts.BlockLength * AesCts.BlockLength;
        if (last == 0)
            return;
        var stolen = (stackalloc byte[AesCts.BlockLength]);
        _beforeLast.CopyTo(stolen);
        _last.CopyTo(text[(last - AesCts.BlockLength)..]);
        stolen[..(text.Length - last)].CopyTo(text[last..]);
    }

    /// <summary>Encrypts the next block, if any.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step()
    {
        if (_encrypted == _length)
            return;
        ref byte next = ref Unsafe.Add(ref _blocks, _encrypted);
        _encrypted += AesCts.BlockLength;
        _beforeLast = _last;
        _last = Encrypt(Vector128.LoadUnsafe(ref next));
        _last.StoreUnsafe(ref next);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<byte> Encrypt(Vector128<byte> plaintext)
    {
        var block = plaintext ^ _last ^ RoundKey(0);
        block = X86Aes.Encrypt(block, RoundKey(1));
        block = X86Aes.Encrypt(block, RoundKey(2));
        block = X86Aes.Encrypt(block, RoundKey(3));
        block = X86Aes.Encrypt(block, RoundKey(4));
        block = X86Aes.Encrypt(block, RoundKey(5));
        block = X86Aes.Encrypt(block, RoundKey(6));
        block = X86Aes.Encrypt(block, RoundKey(7));
        block = X86Aes.Encrypt(block, RoundKey(8));
        block = X86Aes.Encrypt(block, RoundKey(9));
        if (rounds == AesKeySchedule.Aes256Rounds)
        {
            block = X86Aes.Encrypt(block, RoundKey(10));
            block = X86Aes.Encrypt(block, RoundKey(11));
            block = X86Aes.Encrypt(block, RoundKey(12));
            block = X86Aes.Encrypt(block, RoundKey(13));
        }
        return X86Aes.EncryptLast(block, RoundKey(rounds));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Vector128<byte> RoundKey(int round) =>
        Vector128.LoadUnsafe(ref _roundKeys, (nuint)round * AesCts.BlockLength);
}
