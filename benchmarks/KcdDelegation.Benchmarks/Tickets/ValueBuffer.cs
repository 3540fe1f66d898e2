using System.Buffers;

namespace KcdDelegation.Benchmarks.Tickets;

/// <summary>The caller's buffer, which every header value overwrites.</summary>
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
