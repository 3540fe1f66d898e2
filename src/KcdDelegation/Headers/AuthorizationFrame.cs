using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text;

namespace KcdDelegation.Headers;

/// <summary>The constant part of an <c>Authorization</c> value for one ticket, already encoded in base64. Immutable, thread-safe.</summary>
/// <remarks>It holds the scheme, the GSS or SPNEGO frame, the head of the AP-REQ and the ticket, up to the last whole group of three bytes.
/// The remaining bytes (up to two) are prepended to each tail, so that a request encodes its tail alone.</remarks>
[StructLayout(LayoutKind.Auto)]
internal readonly struct AuthorizationFrame
{
    /// <summary>The scheme of all token formats (RFC 4559 §4). Servers distinguish the formats by object identifier.</summary>
    public const string Scheme = "Negotiate";

    private readonly byte[] _text;
    private readonly byte _carry0;
    private readonly byte _carry1;

    /// <summary>Encodes the constant part of a token.</summary>
    /// <param name="format">Kerberos or SPNEGO. The caller has resolved <see cref="TokenFormat.Auto"/>.</param>
    /// <param name="tokenHead">The GSS token without its tail.</param>
    /// <param name="tailLength">The number of bytes that are new in each request.</param>
    public AuthorizationFrame(TokenFormat format, ReadOnlySpan<byte> tokenHead, int tailLength)
    {
        var head = format switch
        {
            TokenFormat.Kerberos => tokenHead,
            TokenFormat.Spnego => NegTokenInit.CreateHead(tokenHead, tailLength),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "A frame is raw Kerberos or SPNEGO."),
        };
        var wholeGroups = head.Length - (head.Length % 3);
        _text = [.. "Negotiate "u8, .. new byte[wholeGroups / 3 * 4]];
        Base64.EncodeToUtf8(head[..wholeGroups], _text.AsSpan(Scheme.Length + 1), out _, out _);
        CarryLength = head.Length - wholeGroups;
        _carry0 = CarryLength > 0 ? head[wholeGroups] : default;
        _carry1 = CarryLength > 1 ? head[wholeGroups + 1] : default;
        TailBufferLength = CarryLength + tailLength;
        Length = _text.Length + Base64.GetMaxEncodedToUtf8Length(TailBufferLength);
    }

    /// <summary>The number of characters of every value created from this frame.</summary>
    public int Length { get; }

    /// <summary>Gets the number of bytes at the start of the buffer that are kept free for the end of the head.</summary>
    public int CarryLength { get; }

    /// <summary>The number of bytes of the buffer for a tail, including the bytes prepended to it.</summary>
    public int TailBufferLength { get; }

    /// <summary>The number of bytes kept as long as the frame lives.</summary>
    public int Size => _text.Length;

    /// <summary>Creates the base64 part of the value. Allocates only the string.</summary>
    public string CreateParameter(Span<byte> buffer) => Create(_text.AsSpan(Scheme.Length + 1), buffer);

    /// <summary>Writes the value, "Negotiate " and base64, in ASCII. Allocates nothing.</summary>
    public void Write(Span<byte> output, Span<byte> buffer)
    {
        Carry(buffer);
        _text.CopyTo(output);
        Base64.EncodeToUtf8(buffer, output[_text.Length..], out _, out _);
    }

    /// <summary>Writes the end of the head before the tail.</summary>
    private void Carry(Span<byte> buffer)
    {
        if (CarryLength > 0)
            buffer[0] = _carry0;
        if (CarryLength > 1)
            buffer[1] = _carry1;
    }

    private string Create(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        Carry(buffer);
        var length = text.Length + Base64.GetMaxEncodedToUtf8Length(buffer.Length);
        return string.Create(length, new Parts(text, buffer), static (value, parts) =>
        {
            Ascii.ToUtf16(parts.Text, value, out var written);
            Convert.TryToBase64Chars(parts.Buffer, value[written..], out _);
        });
    }

    private readonly ref struct Parts(ReadOnlySpan<byte> text, ReadOnlySpan<byte> buffer)
    {
        public readonly ReadOnlySpan<byte> Text = text;
        public readonly ReadOnlySpan<byte> Buffer = buffer;
    }
}
