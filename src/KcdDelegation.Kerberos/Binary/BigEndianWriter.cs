using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Kerberos.Binary;

/// <summary>Fields in network byte order. What is written may hold keys: the buffer is pinned, and zeroed when it grows and on
/// <see cref="Dispose"/>. Not thread-safe.</summary>
internal sealed class BigEndianWriter : IDisposable
{
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(1024, pinned: true);
    private int _length;

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    public void WriteByte(byte value) => Take(1)[0] = value;

    public void WriteUInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), checked((ushort)value));

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Take(bytes.Length));

    /// <summary>A length of 16 bits and the bytes.</summary>
    public void WriteCounted16(ReadOnlySpan<byte> bytes)
    {
        WriteUInt16(bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>A length of 32 bits and the bytes.</summary>
    public void WriteCounted32(ReadOnlySpan<byte> bytes)
    {
        WriteUInt32((uint)bytes.Length);
        WriteBytes(bytes);
    }

    public void WriteCounted16(string text) => WriteCounted16(Encoding.UTF8.GetBytes(text));

    public void WriteCounted32(string text) => WriteCounted32(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_buffer);
        _length = 0;
    }

    private Span<byte> Take(int count)
    {
        if (_buffer.Length - _length < count)
        {
            var larger = GC.AllocateUninitializedArray<byte>(Math.Max(_buffer.Length * 2, checked(_length + count)), pinned: true);
            _buffer.AsSpan(0, _length).CopyTo(larger);
            CryptographicOperations.ZeroMemory(_buffer);
            _buffer = larger;
        }
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
