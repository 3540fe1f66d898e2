using System.Text;

namespace KcdDelegation.Http;

/// <summary>An encoding that observes the values of <c>Persistent-Auth</c> when .NET decodes them. It decodes ISO 8859-1, the default of
/// .NET for headers.</summary>
/// <param name="tied">Called when the backend states that the connection belongs to its user from now on.</param>
internal sealed class PersistentAuthReader(Action tied) : Encoding
{
    public const string Header = "Persistent-Auth";

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
        Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetCharCount(byte[] bytes, int index, int count) => Latin1.GetCharCount(bytes, index, count);

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
    {
        // Fail closed: any value other than "false" counts as "true".
        if (!Ascii.EqualsIgnoreCase(bytes.AsSpan(byteIndex, byteCount).Trim(" \t"u8), "false"u8))
            tied();
        return Latin1.GetChars(bytes, byteIndex, byteCount, chars, charIndex);
    }

    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);

    public override int GetMaxCharCount(int byteCount) => Latin1.GetMaxCharCount(byteCount);
}
