using System.Security.Cryptography;
using KcdDelegation.Kerberos.Binary;

namespace KcdDelegation.Kerberos.Files;

/// <summary>Puts tickets into credential cache files, for programs that speak GSSAPI.</summary>
internal static class CredentialCacheWriter
{
    private const int MaxLength = 64 << 20;

    // Reading, changing and replacing is one step within the process; two tickets written at once must both be there afterwards.
    private static readonly SemaphoreSlim Writing = new(1, 1);

    /// <summary>Adds the ticket to the user's cache, or makes the cache with the user as its default principal, so that programs act as
    /// that user. An older ticket of the same user to the same service is dropped; everything else is kept byte for byte.</summary>
    /// <exception cref="InvalidDataException">The file is there but is not a cache of this version, or is another user's. It is left alone.</exception>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file or its directory may not be read or written.</exception>
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

    /// <summary>Empty if there is no file.</summary>
    private static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        }
        catch (FileNotFoundException)
        {
            return [];
        }
        await using (file.ConfigureAwait(false))
        {
            if (file.Length > MaxLength)
                throw new InvalidDataException($"{path} is larger than {MaxLength} bytes: it is not taken for a credential cache. Name another file.");
            var bytes = GC.AllocateUninitializedArray<byte>((int)file.Length, pinned: true);
            await file.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }

    private static BigEndianWriter Encode(string path, ReadOnlySpan<byte> old, CachedCredential credential)
    {
        var file = new BigEndianWriter();
        // An empty file is what mktemp leaves: nothing to lose, nothing to keep.
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
        catch (InvalidDataException garbage)
        {
            throw new InvalidDataException($"{path} {garbage.Message}. It is left as it is: name another file, or remove it.", garbage);
        }
        if (layout.DefaultPrincipal != credential.Client)
        {
            throw new InvalidDataException(
                $"{path} is the credential cache of {layout.DefaultPrincipal}, the ticket is {credential.Client}'s. It is left as it is: name another file.");
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
        // is-skey: no second ticket takes part (user-to-user).
        file.WriteByte(0);
        file.WriteUInt32((uint)credential.Flags);
        // Neither addresses nor authorization data.
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
