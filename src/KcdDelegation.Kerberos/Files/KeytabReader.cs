using System.Text;
using KcdDelegation.Kerberos.Binary;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The reader of keytab files in the MIT format, version 0502.</summary>
/// <remarks>All integers are big-endian.
/// <code>
/// file    ::= 05 02 { int32 size, entry or hole }      size &lt; 0: a hole of -size bytes, 0: end of file
/// entry   ::= uint16 components, counted realm, { counted component }, uint32 name type, uint32 time,
///             uint8 kvno, uint16 encryption type, counted key [, uint32 kvno, used if it is not zero] [, anything]
/// counted ::= uint16 length, bytes
/// </code></remarks>
internal static class KeytabReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="InvalidDataException">The file is malformed. The message is the predicate of a sentence whose subject is the file
    /// name.</exception>
    public static IReadOnlyList<KeytabEntry> Read(ReadOnlySpan<byte> file)
    {
        var reader = new BigEndianReader(file);
        if (file.Length < 2 || file[0] != 5)
            throw new InvalidDataException("is not a keytab: it does not start with the bytes 05 02");
        if (reader.ReadUInt16() is var version && version != 0x0502)
        {
            throw new InvalidDataException(
                $"is a keytab of version {version:x4}, which is not supported: export it again in version 0502");
        }

        var entries = new List<KeytabEntry>();
        try
        {
            while (reader.Remaining > 0)
            {
                var size = reader.ReadInt32();
                if (size == 0)
                    break;
                // The magnitude of int.MinValue fits only an unsigned integer.
                var bytes = reader.ReadBytes(size < 0 ? (uint)-(long)size : (uint)size);
                if (size > 0)
                    entries.Add(ReadEntry(bytes));
            }
        }
        catch
        {
            foreach (var entry in entries)
                entry.Key?.Dispose();
            throw;
        }
        return entries;
    }

    private static KeytabEntry ReadEntry(ReadOnlySpan<byte> bytes)
    {
        var reader = new BigEndianReader(bytes);
        int count = reader.ReadUInt16();
        if (count == 0)
            throw new InvalidDataException("has an entry without a name");
        // Each component takes at least two bytes. A count that is too large is rejected before memory is allocated for it.
        if (count > reader.Remaining / 2)
            throw new InvalidDataException($"is truncated: an entry has {count} name components, but {reader.Remaining} bytes remain");
        var components = new string[count];
        var realm = ReadText(ref reader);
        for (var i = 0; i < components.Length; i++)
            components[i] = ReadText(ref reader);
        var nameType = reader.ReadInt32();
        var timestamp = DateTimeOffset.FromUnixTimeSeconds(reader.ReadUInt32());
        uint kvno = reader.ReadByte();
        int type = reader.ReadUInt16();
        var key = reader.ReadBytes(reader.ReadUInt16());
        // Programs fill holes with shorter entries, so arbitrary bytes may follow. Zero means that the writer knew only eight bits.
        var fullKvno = reader.Remaining >= 4 ? reader.ReadUInt32() : 0;
        return new KeytabEntry(components, realm, nameType, timestamp, fullKvno == 0 ? kvno : fullKvno, type, ReadKey(type, key))
        {
            KvnoWidth = fullKvno == 0 ? KvnoWidth.LowEightBits : KvnoWidth.Full,
        };
    }

    private static KerberosKey? ReadKey(int type, ReadOnlySpan<byte> bytes)
    {
        if (!EncryptionProfile.TryGet((EncryptionType)type, out var profile))
            return null;
        return bytes.Length == profile.KeyLength
            ? new KerberosKey(profile.Type, bytes)
            : throw new InvalidDataException($"has a key of {bytes.Length} bytes; {profile.Type} requires {profile.KeyLength}");
    }

    private static string ReadText(ref BigEndianReader reader)
    {
        var bytes = reader.ReadBytes(reader.ReadUInt16());
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (ArgumentException invalid)
        {
            throw new InvalidDataException("has a name that is not UTF-8", invalid);
        }
    }
}
