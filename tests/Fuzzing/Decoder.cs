namespace KcdDelegation.Fuzzing;

/// <summary>A reader of bytes from outside, and what it may do with any input.</summary>
/// <param name="Name">The row's name; also the name of its folder of seed files.</param>
/// <param name="Documented">The exceptions that it documents; anything else that it throws is a fault.</param>
/// <param name="Samples">Valid inputs, from which mutations start.</param>
/// <param name="Decode">Reads the input and returns the text that callers put into messages.</param>
internal sealed record Decoder(string Name, IReadOnlyList<Type> Documented, IReadOnlyList<byte[]> Samples, Func<byte[], string> Decode)
{
    /// <summary>Gets inputs at the limits: very long, very many parts. They are read as they are.</summary>
    public IReadOnlyList<byte[]> Extremes { get; init; } = [];

    /// <summary>Gets the bytes that one byte of input may allocate, on top of <see cref="DecoderCheck.BaseAllocation"/>.</summary>
    public int AllocationPerByte { get; init; } = 64;

    /// <summary>Gets the number of random mutations, lower where one input costs a signature or a file.</summary>
    public int Mutations { get; init; } = 1_000;

    public override string ToString() => Name;
}
