using System.Buffers;
using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace KcdDelegation.Headers;

/// <summary>The part of an <c>Authorization</c> value that is the same for every request with one ticket: the scheme, the GSS or SPNEGO
/// frame, the AP-REQ's head and the ticket, in base64 up to the last whole group of three bytes. What is left of the head (nought to two
/// bytes) is carried into each tail, so that a request encodes its tail alone. Immutable, thread-safe.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct AuthorizationFrame
{
    /// <summary>All token formats travel under the scheme of RFC 4559 §4; servers tell them apart by object identifier.</summary>
    public const string Scheme = "Negotiate";

    private readonly byte[] _text;
    private readonly int _carryLength;
    private readonly byte _carry0;
    private readonly byte _carry1;

    /// <param name="format">Kerberos or SPNEGO; <see cref="TokenFormat.Auto"/> is decided by whoever talks to the backend.</param>
    /// <param name="tokenHead">The GSS token up to its tail.</param>
    /// <param name="tailLength">Bytes that are new in each request.</param>
    public AuthorizationFrame(TokenFormat format, ReadOnlySpan<byte> tokenHead, int tailLength)
    {
        var head = format switch
        {
            TokenFormat.Kerberos => tokenHead,
            TokenFormat.Spnego => NegTokenInit.FrameHead(tokenHead, tailLength),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "A frame is raw Kerberos or SPNEGO."),
        };
        var wholeGroups = head.Length - (head.Length % 3);
        _text = [.. "Negotiate "u8, .. new byte[wholeGroups / 3 * 4]];
        Base64.EncodeToUtf8(head[..wholeGroups], _text.AsSpan(Scheme.Length + 1), out _, out _);
        _carryLength = head.Length - wholeGroups;
        _carry0 = _carryLength > 0 ? head[wholeGroups] : default;
        _carry1 = _carryLength > 1 ? head[wholeGroups + 1] : default;
        TailBufferLength = _carryLength + tailLength;
        Length = _text.Length + Base64.GetMaxEncodedToUtf8Length(TailBufferLength);
    }

    /// <summary>Characters of every value made from this frame.</summary>
    public int Length { get; }

    /// <summary>Bytes of the buffer that a tail is written to, what is carried over included.</summary>
    public int TailBufferLength { get; }

    /// <summary>Bytes kept as long as the frame lives.</summary>
    public int Size => _text.Length;

    /// <summary>Where in <paramref name="buffer"/>, of <see cref="TailBufferLength"/> bytes, the new tail goes.</summary>
    public Span<byte> PrepareTail(Span<byte> buffer)
    {
        if (_carryLength > 0)
            buffer[0] = _carry0;
        if (_carryLength > 1)
            buffer[1] = _carry1;
        return buffer[_carryLength..];
    }

    /// <summary>"Negotiate " and base64; the string is all that it allocates.</summary>
    public string CreateValue(ReadOnlySpan<byte> buffer) => Create(_text, buffer);

    /// <summary>The base64 alone.</summary>
    public string CreateParameter(ReadOnlySpan<byte> buffer) => Create(_text.AsSpan(Scheme.Length + 1), buffer);

    /// <summary>"Negotiate " and base64 in ASCII; allocates nothing.</summary>
    public void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> buffer)
    {
        var value = output.GetSpan(Length);
        _text.CopyTo(value);
        Base64.EncodeToUtf8(buffer, value[_text.Length..], out _, out _);
        output.Advance(Length);
    }

    private static string Create(ReadOnlySpan<byte> text, ReadOnlySpan<byte> buffer) =>
        string.Create(text.Length + Base64.GetMaxEncodedToUtf8Length(buffer.Length), new Parts(text, buffer), static (value, parts) =>
        {
            Ascii.ToUtf16(parts.Text, value, out var written);
            Convert.TryToBase64Chars(parts.Buffer, value[written..], out _);
        });

    private readonly ref struct Parts(ReadOnlySpan<byte> text, ReadOnlySpan<byte> buffer)
    {
        public readonly ReadOnlySpan<byte> Text = text;
        public readonly ReadOnlySpan<byte> Buffer = buffer;
    }
}
