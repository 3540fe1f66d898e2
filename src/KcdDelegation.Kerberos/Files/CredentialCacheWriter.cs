using System.Security.Cryptography;
using KcdDelegation.Kerberos.Binary;

namespace KcdDelegation.Kerberos.Files;

/// <summary>The writer of credential cache files, for programs that use GSSAPI.</summary>
internal static class CredentialCacheWriter
{
    private const int MaxLength = 64 << 20;

    // Serializes reading, changing and replacing within the process, so that concurrent writes lose no ticket.
    private static readonly SemaphoreSlim Writing = new(1, 1);

    /// <summary>Adds the ticket to the user's cache, or creates the cache with the user as its default principal.</summary>
    /// <remarks>An older ticket of the same user for the same service is removed. Everything else is copied unchanged.</remarks>
    /// <exception cref="InvalidDataException">The file exists, but is not a cache of this version or belongs to another user. It is not
    /// changed.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">Access to the file or its directory is denied.</exception>
    public static async Task AddAsync(string path, CachedCredential credential, CancellationToken cancellationToken)
    {
        await Writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var old = await ReadAsync(path, cancellationToken).ConfigureAwait(false);
            try
            {
                using var file = Encode(path, old, credential);
                await PrivateFile.ReplaceAsync(path, file.Written, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(old);
            }
        }
        finally
        {
            Writing.Release();
        }
    }

    /// <summary>Reads the file. Returns an empty array if it does not exist.</summary>
    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        }
        catch (FileNotFoundException)
        {
            return [];
        }
        await using (file.ConfigureAwait(false))
        {
            if (file.Length > MaxLength)
                throw new InvalidDataException(
                    $"{path} is larger than {MaxLength} bytes and not read as a credential cache. Specify another file.");
            var bytes = GC.AllocateUninitializedArray<byte>((int)file.Length, pinned: true);
            await file.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }

    private static BigEndianWriter Encode(string path, ReadOnlySpan<byte> old, CachedCredential credential)
    {
        var file = new BigEndianWriter();
        // An empty file, as mktemp creates it, is treated as missing.
        if (old.IsEmpty)
        {
            file.WriteUInt16(0x0504);
            file.WriteUInt16(0);
            WritePrincipal(file, credential.Client);
        }
        else
        {
            CopyOld(file, path, old, credential);
        }
        WriteCredential(file, credential);
        return file;
    }

    private static void CopyOld(BigEndianWriter file, string path, ReadOnlySpan<byte> old, CachedCredential credential)
    {
        CredentialCacheLayout layout;
        try
        {
            layout = CredentialCacheReader.Read(old);
        }
        catch (InvalidDataException malformed)
        {
            throw new InvalidDataException(
                $"{path} {malformed.Message}. It was not changed. Specify another file, or remove this one.", malformed);
        }
        if (layout.DefaultPrincipal != credential.Client)
        {
            throw new InvalidDataException(
                $"{path} is the credential cache of {layout.DefaultPrincipal}, but the ticket is for {credential.Client}. "
                + "It was not changed. Specify another file.");
        }
        file.WriteBytes(old[layout.Head]);
        foreach (var entry in layout.Entries)
        {
            if (entry.IsSetting || entry.Server != credential.Server || entry.Client != credential.Client)
                file.WriteBytes(old[entry.Bytes]);
        }
    }

    private static void WriteCredential(BigEndianWriter file, CachedCredential credential)
    {
        WritePrincipal(file, credential.Client);
        WritePrincipal(file, credential.Server);
        file.WriteUInt16((int)credential.SessionKeyType);
        file.WriteCounted32(credential.SessionKey.Span);
        WriteTime(file, credential.AuthTime);
        WriteTime(file, credential.StartTime);
        WriteTime(file, credential.EndTime);
        WriteTime(file, credential.RenewUntil ?? DateTimeOffset.UnixEpoch);
        // is-skey is 0: there is no second ticket (user-to-user).
        file.WriteByte(0);
        file.WriteUInt32((uint)credential.Flags);
        // No addresses and no authorization data.
        file.WriteUInt32(0);
        file.WriteUInt32(0);
        file.WriteCounted32(credential.Ticket.Span);
        file.WriteCounted32([]);
    }

    private static void WritePrincipal(BigEndianWriter file, CachePrincipal principal)
    {
        file.WriteUInt32((uint)principal.Name.Type);
        file.WriteUInt32((uint)principal.Name.Components.Count);
        file.WriteCounted32(principal.Realm);
        foreach (var component in principal.Name.Components)
            file.WriteCounted32(component);
    }

    private static void WriteTime(BigEndianWriter file, DateTimeOffset time) =>
        file.WriteUInt32((uint)Math.Clamp(time.ToUnixTimeSeconds(), 0, uint.MaxValue));
}
