using System.Buffers.Binary;

namespace KcdDelegation.Kerberos.Binary;

/// <summary>A reader of the fields of a file or packet in network byte order. It never reads past the end of the data.</summary>
internal ref struct BigEndianReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;

    public int Position { get; private set; }

    public readonly int Remaining => _data.Length - Position;

    public byte ReadByte() => ReadBytes(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(ReadBytes(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(ReadBytes(4));

    public int ReadInt32() => BinaryPrimitives.ReadInt32BigEndian(ReadBytes(4));

    /// <exception cref="InvalidDataException">Fewer bytes are left.</exception>
    public ReadOnlySpan<byte> ReadBytes(uint count)
    {
        if (count > (uint)Remaining)
            throw new InvalidDataException($"is truncated: {count} bytes are announced at byte {Position}, but {Remaining} remain");
        var bytes = _data.Slice(Position, (int)count);
        Position += (int)count;
        return bytes;
    }
}
