using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace KcdDelegation.DirectoryServices.Accounts;

/// <summary>The two forms of a security identifier (MS-DTYP §2.4.2): revision, count, authority (6 bytes, big-endian), subauthorities
/// (little-endian).</summary>
internal static class SecurityIdentifiers
{
    private const int HeaderLength = 8;
    private const int MaxSubauthorities = 15;

    /// <summary>Returns the text of a SID, or null if the bytes are not one.</summary>
    public static string? Format(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderLength || bytes[0] != 1 || bytes[1] > MaxSubauthorities || bytes.Length != HeaderLength + (4 * bytes[1]))
            return null;
        var authority = (ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) << 32 | BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        var text = new StringBuilder("S-1-").Append(authority.ToString(CultureInfo.InvariantCulture));
        for (var i = 0; i < bytes[1]; i++)
        {
            var part = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(HeaderLength + (4 * i))..]);
            text.Append('-').Append(part.ToString(CultureInfo.InvariantCulture));
        }
        return text.ToString();
    }

    /// <summary>Returns the bytes of a SID in text form, which <c>KerberosPrincipal.IsSecurityIdentifier</c> has checked.</summary>
    /// <exception cref="FormatException">The text is no SID.</exception>
    public static byte[] Parse(string text)
    {
        var parts = text.Split('-');
        if (parts.Length is < 3 or > 3 + MaxSubauthorities || parts[0] != "S" || parts[1] != "1"
            || !ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var authority) || authority >> 48 != 0)
            throw new FormatException("The text is no SID.");
        var bytes = new byte[HeaderLength + (4 * (parts.Length - 3))];
        bytes[0] = 1;
        bytes[1] = (byte)(parts.Length - 3);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)(authority >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), (uint)authority);
        for (var i = 3; i < parts.Length; i++)
        {
            var part = uint.Parse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(HeaderLength + (4 * (i - 3))), part);
        }
        return bytes;
    }
}
