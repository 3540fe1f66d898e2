using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Token;

/// <summary>The SHA-256 hash of a whole token, signature included. All of its bits are compared.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TokenHash(ulong First, ulong Second, ulong Third, ulong Fourth)
{
    private const int MaxOnStack = 2048;

    /// <summary>Hashes a token. Returns false if it is no text of a token: too long, or not ASCII.</summary>
    public static bool TryCreate(ReadOnlySpan<char> token, out TokenHash hash)
    {
        hash = default;
        if (token.Length > CompactToken.MaxLength)
            return false;
        var rented = token.Length > MaxOnStack ? ArrayPool<byte>.Shared.Rent(token.Length) : null;
        try
        {
            Span<byte> ascii = rented is null ? stackalloc byte[MaxOnStack] : rented;
            if (Ascii.FromUtf16(token, ascii, out var length) != OperationStatus.Done)
                return false;
            Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(ascii[..length], digest);
            var words = MemoryMarshal.Cast<byte, ulong>(digest);
            hash = new TokenHash(words[0], words[1], words[2], words[3]);
            return true;
        }
        finally
        {
            if (rented is not null)
            {
                CryptographicOperations.ZeroMemory(rented.AsSpan(0, token.Length));
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }
}
