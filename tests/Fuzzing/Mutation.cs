using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;

namespace KcdDelegation.Fuzzing;

/// <summary>A change of an input.</summary>
/// <param name="Kind">What is changed.</param>
/// <param name="Position">Where, modulo the length.</param>
/// <param name="Length">How many bytes.</param>
/// <param name="Value">What is written.</param>
internal sealed record Edit(EditKind Kind, int Position, int Length, int Value)
{
    /// <summary>Tags, lengths and counts at the limits of their forms.</summary>
    private static readonly byte[] s_bytes =
        [0x00, 0x01, 0x02, 0x1f, 0x20, 0x30, 0x60, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xa0, 0xbf, 0xc0, 0xfe, 0xff];

    private static readonly uint[] s_numbers =
        [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

    /// <summary>Characters that break a log line or reverse it, in UTF-8 and UTF-16, and bytes that are no text.</summary>
    private static readonly byte[][] s_texts =
    [
        [.. "\r\n"u8], [.. "\e[31m"u8], [.. "\u202e"u8], [.. "\u2028"u8], [.. "\U000e0041"u8], [.. "\0"u8], [.. "a/b"u8], [.. "//"u8],
            [.. "@"u8],
        [0x0d, 0x00, 0x0a, 0x00], [0x1b, 0x00], [0x2e, 0x20], [0x28, 0x20], [0x00, 0xd8], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff],
            [.. "{\"a\":1}"u8], [.. "\\ud800"u8], [.. "\""u8],
    ];

    public byte[] Apply(byte[] input, IReadOnlyList<byte[]> samples)
    {
        var at = input.Length == 0 ? 0 : Position % input.Length;
        var end = Math.Min(at + Length, input.Length);
        var changed = input.ToArray();
        switch (Kind)
        {
            case EditKind.FlipBit when input.Length > 0:
                changed[at] ^= (byte)(1 << (Value & 7));
                return changed;
            case EditKind.SetByte when input.Length > 0:
                changed[at] = (Value & 1) == 0 ? (byte)(Value >> 1) : s_bytes[(Value >> 1) % s_bytes.Length];
                return changed;
            case EditKind.SetNumber when input.Length > 0:
                SetNumber(changed.AsSpan(at));
                return changed;
            case EditKind.Truncate:
                return input[..at];
            case EditKind.Delete:
                return [.. input[..at], .. input[end..]];
            case EditKind.Insert:
                return [.. input[..at], .. Enumerable.Repeat((byte)Value, Length), .. input[at..]];
            case EditKind.InsertText:
                return [.. input[..at], .. s_texts[Value % s_texts.Length], .. input[at..]];
            case EditKind.ReplaceText:
                var text = s_texts[Value % s_texts.Length];
                text.AsSpan(0, Math.Min(text.Length, changed.Length - at)).CopyTo(changed.AsSpan(at));
                return changed;
            case EditKind.Repeat:
                return [.. input[..at], .. Enumerable.Repeat(input[at..end], 1 + (Value % 64)).SelectMany(part => part), .. input[end..]];
            case EditKind.Splice:
                var other = samples[Value % samples.Count];
                var from = other.Length == 0 ? 0 : (Position / 7) % other.Length;
                return [.. input[..at], .. other[from..]];
            default:
                return changed;
        }
    }

    private void SetNumber(Span<byte> target)
    {
        var number = s_numbers[(Value >> 2) % s_numbers.Length];
        switch (Value & 3)
        {
            case 0 when target.Length >= 4:
                BinaryPrimitives.WriteUInt32BigEndian(target, number);
                break;
            case 1 when target.Length >= 4:
                BinaryPrimitives.WriteUInt32LittleEndian(target, number);
                break;
            case 2 when target.Length >= 2:
                BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)number);
                break;
            case 3 when target.Length >= 2:
                BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)number);
                break;
        }
    }
}

internal enum EditKind
{
    FlipBit,
    SetByte,
    SetNumber,
    Truncate,
    Delete,
    Insert,
    InsertText,
    ReplaceText,
    Repeat,
    Splice,
}

/// <summary>A sample and the edits that are applied to it in order.</summary>
internal sealed record Mutation(int Sample, IReadOnlyList<Edit> Edits)
{
    private static readonly Gen<Edit> s_edits =
        from kind in Gen.Elements(Enum.GetValues<EditKind>())
        from position in Gen.Choose(0, int.MaxValue - 1)
        from length in Gen.Choose(1, 48)
        from value in Gen.Choose(0, ushort.MaxValue)
        select new Edit(kind, position, length, value);

    /// <summary>Returns the first mutations of a seed.</summary>
    public static Mutation[] Generate(ulong seed, int count)
    {
        var mutations =
            from sample in Gen.Choose(0, ushort.MaxValue)
            from edits in Gen.Choose(1, 4).SelectMany(number => s_edits.ListOf(number))
            select new Mutation(sample, edits);
        return mutations.Sample(count, new Rnd(seed), size: 50);
    }

    public byte[] Apply(IReadOnlyList<byte[]> samples) =>
        Edits.Aggregate(samples[Sample % samples.Count], (bytes, edit) => edit.Apply(bytes, samples));
}
