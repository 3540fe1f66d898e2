namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The n-fold operation of RFC 3961 §5.1, which stretches or folds a constant to another length.</summary>
internal static class NFold
{
    /// <summary>Computes n-fold of the input, with n the length of the output (RFC 3961 §5.1).</summary>
    /// <remarks>The input is replicated to lcm(n, size of input) bits. Each copy is rotated 13 bits to the right of the copy before it.
    /// The n-bit chunks are added in ones' complement.</remarks>
    public static void Fold(ReadOnlySpan<byte> input, Span<byte> output)
    {
        output.Clear();
        int total = LeastCommonMultiple(input.Length, output.Length);
        int carry = 0;
        // From the last byte to the first, so that carries propagate to the more significant bytes.
        for (int i = total - 1; i >= 0; i--)
        {
            ref byte sum = ref output[i % output.Length];
            carry += sum + RotatedByte(input, i);
            sum = (byte)carry;
            carry >>= 8;
        }
        // Ones' complement: the carry out of the most significant byte is added to the least significant byte.
        for (int i = output.Length - 1; carry != 0; i = (i == 0 ? output.Length : i) - 1)
        {
            carry += output[i];
            output[i] = (byte)carry;
            carry >>= 8;
        }
    }

    /// <summary>Returns byte <paramref name="index"/> of the replicated and rotated input.</summary>
    private static int RotatedByte(ReadOnlySpan<byte> input, int index)
    {
        int bits = input.Length * 8;
        int copy = index / input.Length;
        // Rotation to the right by r moves input bit b to (b + r), so the byte's first bit was r bits to the left.
        int firstBit = (int)(((index % input.Length * 8L) + bits - (13L * copy % bits)) % bits);
        int high = input[firstBit / 8];
        int low = input[((firstBit / 8) + 1) % input.Length];
        return (((high << 8) | low) >> (8 - (firstBit % 8))) & 0xFF;
    }

    private static int LeastCommonMultiple(int a, int b)
    {
        int x = a;
        int y = b;
        while (y != 0)
            (x, y) = (y, x % y);
        return a / x * b;
    }
}
