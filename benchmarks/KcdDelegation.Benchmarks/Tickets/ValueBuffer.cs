using System.Buffers;

namespace KcdDelegation.Benchmarks.Tickets;

/// <summary>Memory of the caller's that a header value is written to again and again.</summary>
internal sealed class ValueBuffer : IBufferWriter<byte>
{
    private readonly byte[] _memory = new byte[64 << 10];

    public int Written { get; private set; }

    public string Text => System.Text.Encoding.ASCII.GetString(_memory, 0, Written);

    public Span<byte> Start()
    {
        Written = 0;
        return _memory;
    }

    public void Advance(int count) => Written += count;

    public Memory<byte> GetMemory(int sizeHint = 0) => _memory.AsMemory(Written);

    public Span<byte> GetSpan(int sizeHint = 0) => _memory.AsSpan(Written);
}
