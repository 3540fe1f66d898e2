using KcdDelegation.Kerberos.Binary;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The writer of keytab files, in the format of <see cref="KeytabReader"/>.</summary>
internal static class KeytabWriter
{
    /// <summary>Creates or replaces the file atomically, with mode 0600.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the directory is denied.</exception>
    public static async Task WriteAsync(string path, IEnumerable<KeytabEntry> entries, CancellationToken cancellationToken)
    {
        using var file = Encode(entries);
        await PrivateFile.ReplaceAsync(path, file.Written, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Encodes the file. The result holds the keys until it is disposed.</summary>
    public static BigEndianWriter Encode(IEnumerable<KeytabEntry> entries)
    {
        var file = new BigEndianWriter();
        file.WriteUInt16(0x0502);
        foreach (var entry in entries)
        {
            using var record = new BigEndianWriter();
            WriteEntry(record, entry);
            file.WriteCounted32(record.Written.Span);
        }
        return file;
    }

    private static void WriteEntry(BigEndianWriter record, KeytabEntry entry)
    {
        if (entry.Key is not { } key)
            throw new ArgumentException($"The entry of {entry.Principal} has no key.", nameof(entry));
        record.WriteUInt16(entry.Components.Count);
        record.WriteCounted16(entry.Realm);
        foreach (var component in entry.Components)
            record.WriteCounted16(component);
        record.WriteUInt32((uint)entry.NameType);
        record.WriteUInt32((uint)entry.Timestamp.ToUnixTimeSeconds());
        record.WriteByte((byte)entry.Kvno);
        record.WriteUInt16((int)key.Type);
        record.WriteCounted16(key.Bytes);
        if (entry.KvnoWidth == KvnoWidth.Full)
            record.WriteUInt32(entry.Kvno);
    }
}
