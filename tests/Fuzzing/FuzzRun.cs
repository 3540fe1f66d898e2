using System.Globalization;
using System.Text;

namespace KcdDelegation.Fuzzing;

/// <summary>Every input of one decoder: its samples, their truncations and bit flips, seed files, and random mutations.</summary>
internal static class FuzzRun
{
    private const ulong DefaultSeed = 20_261_126;
    private const int MaxPrinted = 1_000;
    private const int MaxSystematic = 500;

    /// <summary>Gets the seed of the random mutations. <c>KCD_FUZZ_SEED</c> overrides it.</summary>
    public static ulong Seed { get; } =
        ulong.TryParse(Environment.GetEnvironmentVariable("KCD_FUZZ_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed)
            ? seed : DefaultSeed;

    /// <summary>Returns the faults of a decoder, one per kind with a reduced input, or an empty text.</summary>
    /// <param name="decoder">The decoder.</param>
    /// <param name="seedFiles">Inputs that a longer run found worth keeping.</param>
    public static string Describe(Decoder decoder, IReadOnlyList<byte[]> seedFiles)
    {
        var faults = new Dictionary<string, (Fault Fault, byte[] Input)>(StringComparer.Ordinal);
        foreach (var input in Inputs(decoder, [.. decoder.Samples, .. seedFiles]))
        {
            if (DecoderCheck.Run(decoder, input) is { } fault && !faults.ContainsKey(fault.Kind))
                faults.Add(fault.Kind, (fault, input));
        }
        var text = new StringBuilder();
        foreach (var (kind, (fault, input)) in faults)
        {
            // A shorter input is rarely as slow, and each attempt would take that time again.
            var reduced = kind == DecoderCheck.TooSlow ? input
                : Reduction.Reduce(input, bytes => DecoderCheck.Run(decoder, bytes)?.Kind == kind);
            var detail = (reduced == input ? null : DecoderCheck.Run(decoder, reduced)?.Detail) ?? fault.Detail;
            text.AppendLine(CultureInfo.InvariantCulture, $"{decoder.Name} {kind}: {detail}");
            var hex = Convert.ToHexString(reduced.AsSpan(0, Math.Min(reduced.Length, MaxPrinted)))
                + (reduced.Length > MaxPrinted ? "…" : "");
            text.AppendLine(CultureInfo.InvariantCulture, $"  seed {Seed}, {reduced.Length} bytes: {hex}");
        }
        return text.ToString();
    }

    private static IEnumerable<byte[]> Inputs(Decoder decoder, IReadOnlyList<byte[]> samples)
    {
        yield return [];
        foreach (var sample in samples)
        {
            yield return sample;
            // Long samples are cut at evenly spaced bytes, short ones at each.
            var step = 1 + (sample.Length / MaxSystematic);
            for (var length = 0; length < sample.Length; length += step)
                yield return sample[..length];
            for (var bit = 0; bit < sample.Length * 8; bit += 1 + (sample.Length * 8 / MaxSystematic))
            {
                var flipped = sample.ToArray();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                yield return flipped;
            }
        }
        foreach (var sample in decoder.Extremes)
            yield return sample;
        foreach (var mutation in Mutation.Generate(Seed, decoder.Mutations))
            yield return mutation.Apply(samples);
    }
}

/// <summary>Makes an input that breaks a rule as short as it still breaks it.</summary>
internal static class Reduction
{
    private const int MaxAttempts = 3_000;

    public static byte[] Reduce(byte[] input, Func<byte[], bool> breaks)
    {
        var attempts = 0;
        for (var size = Math.Max(1, input.Length / 2); size > 0; size /= 2)
        {
            for (var at = 0; at + size <= input.Length && attempts < MaxAttempts;)
            {
                attempts++;
                byte[] shorter = [.. input[..at], .. input[(at + size)..]];
                if (breaks(shorter))
                    input = shorter;
                else
                    at += size;
            }
        }
        return input;
    }
}
