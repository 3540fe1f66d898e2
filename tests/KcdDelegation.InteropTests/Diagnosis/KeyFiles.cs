using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>Key files that are wrong in a way that administrators meet. They are deleted when the process ends.</summary>
internal static class KeyFiles
{
    private static readonly Lazy<string> s_directory = new(CreateDirectory);

    /// <summary>Writes a keytab whose key has the right password and another salt than the KDC's.</summary>
    public static string WriteKeytabWithGuessedSalt(string account, string realm)
    {
        var profile = EncryptionProfile.Get(EncryptionType.Aes256CtsHmacSha1);
        using var key = profile.DeriveFromPassword(Lab.Password, "GUESSED.TESTsalt", profile.DefaultIterations);
        using var file = KeytabWriter.Encode(
            [new KeytabEntry(account.Split('/'), realm, 1, DateTimeOffset.UnixEpoch, 2, (int)key.Type, key)]);
        return Write($"{realm}.keytab", file.Written.Span);
    }

    /// <summary>Writes a blob of msDS-ManagedPassword (MS-ADTS §2.2.19) with a random password.</summary>
    public static string WriteManagedPassword()
    {
        var blob = new byte[0x122];
        RandomNumberGenerator.Fill(blob.AsSpan(16));
        BinaryPrimitives.WriteUInt16LittleEndian(blob, 1);
        BinaryPrimitives.WriteInt32LittleEndian(blob.AsSpan(4), blob.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(8), 16);
        return Write("managed-password", blob);
    }

    private static string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(s_directory.Value, name);
        File.WriteAllBytes(path, content.ToArray());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private static string CreateDirectory()
    {
        var directory = Directory.CreateTempSubdirectory("kcd-keys");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => directory.Delete(recursive: true);
        return directory.FullName;
    }
}
