namespace KcdDelegation.Kerberos.Crypto;

/// <summary>RFC 3961 §5.1: stretches or folds a constant to another length, so that each input bit weighs about the same.</summary>
internal static class NFold
{
    /// <summary>"... the input is replicated to lcm(n, size of input) bits, each copy rotated 13 bits to the right of the one before it,
    /// and the n-bit chunks are added in ones' complement."</summary>
    public static void Fold(ReadOnlySpan<byte> input, Span<byte> output)
    {
        output.Clear();
        int total = LeastCommonMultiple(input.Length, output.Length);
        int carry = 0;
        // From the last byte to the first, so that carries travel towards the more significant bytes.
        for (int i = total - 1; i >= 0; i--)
        {
            ref byte sum = ref output[i % output.Length];
            carry += sum + RotatedByte(input, i);
            sum = (byte)carry;
            carry >>= 8;
        }
        // Ones' complement: what is carried out of the top comes in again at the bottom.
        for (int i = output.Length - 1; carry != 0; i = (i == 0 ? output.Length : i) - 1)
        {
            carry += output[i];
            output[i] = (byte)carry;
            carry >>= 8;
        }
    }

    /// <summary>Byte <paramref name="index"/> of the replicated and rotated input.</summary>
    private static int RotatedByte(ReadOnlySpan<byte> input, int index)
    {
        int bits = input.Length * 8;
        int copy = index / input.Length;
        // Rotating right by r puts input bit b to (b + r): the byte's first bit was r bits to the left.
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
