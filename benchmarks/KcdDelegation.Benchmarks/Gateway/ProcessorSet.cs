using System.Globalization;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>Processors by number, as <c>taskset --cpu-list</c> takes them.</summary>
internal sealed record ProcessorSet(int First, int Count)
{
    /// <summary>Gets the processors of the gateway: a third of all, so that the load generator and the backend do not limit it.</summary>
    public static ProcessorSet Gateway { get; } = new(0, Math.Max(1, Available / 3));

    /// <summary>Gets the processors of the load generator, the backend and everything else.</summary>
    public static ProcessorSet Others { get; } = new(Gateway.Count, Available - Gateway.Count);

    private static int Available => Environment.ProcessorCount;

    public override string ToString() => Count == 1
        ? First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{First}-{First + Count - 1}");

    /// <summary>Returns the bits of the processors, as <see cref="System.Diagnostics.Process.ProcessorAffinity"/> takes them.</summary>
    public nint ToMask() => (nint)(((1L << Count) - 1) << First);
}
