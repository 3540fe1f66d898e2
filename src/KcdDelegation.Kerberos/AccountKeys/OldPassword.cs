using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Binary;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A replaced password, which is kept for tickets that were issued before the change.</summary>
/// <param name="Password">The password.</param>
/// <param name="Until">The time at which it is forgotten.</param>
internal sealed record OldPassword(Password Password, DateTimeOffset Until)
{
    /// <summary>The largest number that is kept: that of a change every hour and a half and tickets of one day.</summary>
    public const int MaxCount = 16;

    /// <summary>Reads a file with one password in each line: the time in seconds since 1970, a space, and Base64 of UTF-8.</summary>
    /// <exception cref="InvalidDataException">The file is malformed. The message is a predicate of the file.</exception>
    public static IReadOnlyList<OldPassword> Read(ReadOnlyMemory<byte> file)
    {
        var passwords = new List<OldPassword>();
        foreach (var range in file.Span.Split((byte)'\n'))
        {
            var line = file[range];
            if (!line.IsEmpty)
                passwords.Add(ReadLine(line));
        }
        return passwords;
    }

    /// <summary>Encodes the file. The result holds the passwords until it is disposed.</summary>
    public static BigEndianWriter Encode(IEnumerable<OldPassword> passwords)
    {
        var file = new BigEndianWriter();
        foreach (var (password, until) in passwords)
        {
            using var text = password.ToUtf8();
            var encoded = GC.AllocateUninitializedArray<byte>(Base64.GetMaxEncodedToUtf8Length(text.Length), pinned: true);
            Base64.EncodeToUtf8(text.Span, encoded, out _, out var length);
            file.WriteBytes(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{until.ToUnixTimeSeconds()} ")));
            file.WriteBytes(encoded.AsSpan(0, length));
            file.WriteByte((byte)'\n');
            CryptographicOperations.ZeroMemory(encoded);
        }
        return file;
    }

    private static OldPassword ReadLine(ReadOnlyMemory<byte> line)
    {
        var space = line.Span.IndexOf((byte)' ');
        if (space <= 0 || !Utf8Parser.TryParse(line.Span[..space], out long seconds, out var consumed) || consumed != space
            || seconds is < 0 or > 253_402_300_799)
            throw new InvalidDataException("has a line without a time");
        var text = GC.AllocateUninitializedArray<byte>(line.Length, pinned: true);
        try
        {
            if (Base64.DecodeFromUtf8(line.Span[(space + 1)..], text, out _, out var length) != System.Buffers.OperationStatus.Done)
                throw new InvalidDataException("has a line that is not Base64");
            return new OldPassword(Password.Read(text.AsMemory(0, length)), DateTimeOffset.FromUnixTimeSeconds(seconds));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }
}
