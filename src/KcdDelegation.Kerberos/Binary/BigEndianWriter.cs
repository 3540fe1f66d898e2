using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Kerberos.Binary;

/// <summary>A writer of fields in network byte order. Not thread-safe.</summary>
/// <remarks>The written data can contain keys. The buffer is pinned, and it is zeroed when it grows and on <see cref="Dispose"/>.</remarks>
internal sealed class BigEndianWriter : IDisposable
{
    private byte[] _buffer = GC.AllocateUninitializedArray<byte>(1024, pinned: true);
    private int _length;

    public ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(int value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), checked((ushort)value));

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Writes a 16-bit length and the bytes.</summary>
    public void WriteCounted16(ReadOnlySpan<byte> bytes)
    {
        WriteUInt16(bytes.Length);
        WriteBytes(bytes);
    }

    /// <summary>Writes a 32-bit length and the bytes.</summary>
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

    private Span<byte> Reserve(int count)
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
