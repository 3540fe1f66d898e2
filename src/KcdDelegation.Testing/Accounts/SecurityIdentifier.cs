using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Testing.Accounts;

/// <summary>MS-DTYP §2.4.2: S-1-authority-subauthorities, as text and as the binary form in a PAC.</summary>
internal sealed record SecurityIdentifier(string Text)
{
    /// <summary>Creates a realm's identifier: S-1-5-21 and three numbers derived from its name.</summary>
    public static SecurityIdentifier CreateDomain(string realm)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(realm.ToUpperInvariant()));
        var numbers = Enumerable.Range(0, 3).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(hash.AsSpan(4 * i)));
        return new SecurityIdentifier("S-1-5-21-" + string.Join('-', numbers));
    }

    public SecurityIdentifier WithRelativeId(int id) => new(string.Create(CultureInfo.InvariantCulture, $"{Text}-{id}"));

    /// <exception cref="FormatException">Not of the form S-1-authority-subauthority…, with at most 15 subauthorities.</exception>
    public static SecurityIdentifier Parse(string text)
    {
        var identifier = new SecurityIdentifier(text);
        _ = identifier.ToBytes();
        return identifier;
    }

    public static SecurityIdentifier FromBytes(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder("S-1-").Append(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));
        for (var i = 0; i < bytes[1]; i++)
            text.Append('-').Append(BinaryPrimitives.ReadUInt32LittleEndian(bytes[(8 + (4 * i))..]));
        return new SecurityIdentifier(text.ToString());
    }

    /// <summary>Encodes the identifier (MS-DTYP §2.4.2.2): revision, count, authority (6 bytes, big-endian), subauthorities
    /// (little-endian).</summary>
    public byte[] ToBytes()
    {
        var parts = Text.Split('-');
        if (parts is not ["S", "1", ..] || parts.Length is < 4 or > 18)
            throw new FormatException($"'{Text}' is not a security identifier. Use the form S-1-5-21-1-2-3-1104.");
        var bytes = new byte[8 + (4 * (parts.Length - 3))];
        bytes[0] = 1;
        bytes[1] = (byte)(parts.Length - 3);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), uint.Parse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture));
        for (var i = 3; i < parts.Length; i++)
        {
            var part = uint.Parse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8 + (4 * (i - 3))), part);
        }
        return bytes;
    }
}
