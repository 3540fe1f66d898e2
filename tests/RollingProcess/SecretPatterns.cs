using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KcdDelegation.RollingProcess;

/// <summary>The first characters of secrets in the forms that memory can have: UTF-8, UTF-16 and Base64. They are kept masked, so that they
/// are not found themselves.</summary>
internal sealed class SecretPatterns : IDisposable
{
    private const byte Mask = 0x5A;

    /// <summary>The number of characters of a pattern: a multiple of three, for Base64.</summary>
    private const int Length = 24;

    private readonly List<byte[]> _masked = [];

    /// <summary>Adds the password in the file.</summary>
    public unsafe void AddFile(string path)
    {
        var plain = new Span<byte>(NativeMemory.AllocZeroed(4 * Length), 4 * Length);
        try
        {
            using (var file = File.OpenHandle(path))
                _ = RandomAccess.Read(file, plain[..Length], 0);
            Add(plain[..Length]);
            Base64.EncodeToUtf8(plain[..Length], plain[(2 * Length)..], out _, out var written);
            Add(plain.Slice(2 * Length, written));
            for (var i = Length - 1; i >= 0; i--)
                (plain[2 * i], plain[(2 * i) + 1]) = (plain[i], 0);
            Add(plain[..(2 * Length)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plain);
            fixed (byte* start = plain)
                NativeMemory.Free(start);
        }
    }

    /// <summary>Adds a password of UTF-16 code units, as they are and as UTF-8.</summary>
    public unsafe void AddCharacters(ReadOnlySpan<byte> utf16)
    {
        var start = (byte*)NativeMemory.AllocZeroed(4 * Length);
        var utf8 = new Span<byte>(start, 4 * Length);
        try
        {
            var characters = MemoryMarshal.Cast<byte, char>(utf16[..(2 * Length)]);
            Add(utf16[..(2 * Length)]);
            Add(utf8[..System.Text.Encoding.UTF8.GetBytes(characters, utf8)]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(utf8);
            NativeMemory.Free(start);
        }
    }

    /// <summary>Returns whether the memory contains a secret.</summary>
    public bool IsIn(ReadOnlySpan<byte> memory)
    {
        foreach (var pattern in _masked)
        {
            var first = (byte)(pattern[0] ^ Mask);
            for (var at = 0; at <= memory.Length - pattern.Length; at++)
            {
                var next = memory[at..].IndexOf(first);
                if (next < 0)
                    break;
                at += next;
                if (at <= memory.Length - pattern.Length && Matches(memory.Slice(at, pattern.Length), pattern))
                    return true;
            }
        }
        return false;
    }

    public void Dispose() => _masked.ForEach(pattern => CryptographicOperations.ZeroMemory(pattern));

    private void Add(ReadOnlySpan<byte> plain)
    {
        var pattern = GC.AllocateUninitializedArray<byte>(plain.Length, pinned: true);
        for (var i = 0; i < pattern.Length; i++)
            pattern[i] = (byte)(plain[i] ^ Mask);
        _masked.Add(pattern);
    }

    private static bool Matches(ReadOnlySpan<byte> memory, byte[] pattern)
    {
        for (var i = 0; i < pattern.Length; i++)
        {
            if ((memory[i] ^ Mask) != pattern[i])
                return false;
        }
        return true;
    }
}
