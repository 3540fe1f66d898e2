using System.Text;
using KcdDelegation.Headers;

namespace KcdDelegation.Http;

/// <summary>Writes the <c>Authorization</c> value of one request into a connection's buffer, in place of any text.</summary>
/// <remarks>.NET asks <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/> for the encoding of each field that it writes. The
/// value therefore needs no string.</remarks>
internal sealed class AuthorizationEncoding(AuthorizationTemplate template, byte[] tail) : Encoding
{
    public override int GetByteCount(char[] chars, int index, int count) => template.Length;

    public override int GetByteCount(ReadOnlySpan<char> chars) => template.Length;

    public override int GetMaxByteCount(int charCount) => template.Length;

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        GetBytes(chars.AsSpan(charIndex, charCount), bytes.AsSpan(byteIndex));

    public override int GetBytes(ReadOnlySpan<char> chars, Span<byte> bytes)
    {
        template.WriteValue(bytes, tail);
        return template.Length;
    }

    public override int GetCharCount(byte[] bytes, int index, int count) => throw new NotSupportedException();

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
        throw new NotSupportedException();

    public override int GetMaxCharCount(int byteCount) => throw new NotSupportedException();
}
