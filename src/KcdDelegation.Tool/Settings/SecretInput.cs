using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Settings;

/// <summary>Reads secrets from standard input or from files. Secrets are never arguments, which every process of the machine can
/// read.</summary>
internal static class SecretInput
{
    private const int MaxPasswordLength = 4096;
    private const int MaxTokenLength = 256 * 1024;

    /// <summary>Creates an account with the password on standard input. One line end after the password is removed.</summary>
    /// <exception cref="UsageException">There is no password, or the input is a terminal, which would display it.</exception>
    public static async Task<ServiceAccount> ReadPasswordAsync(string account, Streams streams, CancellationToken cancellationToken)
    {
        if (streams.InputIsTerminal)
        {
            throw new UsageException(
                "--password-file - reads the password from a pipe or a file, so that the terminal does not display it. "
                + "Example: kcd … --password-file - < FILE");
        }
        var buffer = GC.AllocateUninitializedArray<byte>(MaxPasswordLength, pinned: true);
        var characters = GC.AllocateUninitializedArray<char>(MaxPasswordLength, pinned: true);
        try
        {
            var length = await streams.Input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (length == buffer.Length)
                throw new UsageException($"The password on standard input is longer than {MaxPasswordLength - 1} bytes.");
            var text = TrimLineEnd(buffer.AsMemory(0, length));
            if (text.IsEmpty)
                throw new UsageException("There is no password on standard input.");
            if (!Utf8.IsValid(text.Span))
                throw new UsageException("The password on standard input is not UTF-8 text.");
            return ServiceAccount.FromPassword(account, characters.AsSpan(0, Encoding.UTF8.GetChars(text.Span, characters)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(characters.AsSpan()));
        }
    }

    /// <summary>Checks that the file with the account's key can be read. Messages about a password file do not contain its path.</summary>
    /// <remarks>A password that is specified in the position of the path must not appear in a message or a log.</remarks>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    public static void ThrowIfUnreadable(AccountKeyFile key)
    {
        var isPassword = key.Kind == KeyFileKind.PasswordFile;
        var subject = isPassword ? $"{key.Origin}: The file" : $"{key.Origin}: {key.Path}";
        var hint = isPassword
            ? " The value must be the path of a file that contains the password, and not the password itself. It is not shown."
            : "";
        Open(key.Path, subject, hint).Dispose();
    }

    /// <summary>Reads a token from a file, or from standard input for <c>-</c>. White space around the token is removed.</summary>
    /// <exception cref="UsageException">The file cannot be read, is empty, or is larger than a token.</exception>
    public static async Task<string> ReadTokenAsync(string option, string fileOrDash, Streams streams, CancellationToken cancellationToken)
    {
        if (fileOrDash == "-")
            return await ReadTokenAsync(streams.Input, "standard input", cancellationToken);
        var subject = $"{option}: The file";
        await using var file = Open(
            fileOrDash, subject, " The value must be the path of a file that contains the token, and not the token itself. It is not "
                + "shown.");
        return await ReadTokenAsync(file, subject, cancellationToken);
    }

    private static async Task<string> ReadTokenAsync(Stream stream, string subject, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxTokenLength];
        try
        {
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (length == buffer.Length)
                throw new UsageException($"{subject} is larger than {MaxTokenLength - 1} bytes, the maximum size of a token.");
            var token = Encoding.UTF8.GetString(buffer, 0, length).Trim();
            return token.Length > 0 ? token : throw new UsageException($"{subject} is empty. It must contain a token.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    /// <summary>Opens a file. The messages of the operating system are not used, because they contain the path.</summary>
    private static FileStream Open(string path, string subject, string hint)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var problem = error switch
            {
                FileNotFoundException or DirectoryNotFoundException => "does not exist.",
                UnauthorizedAccessException => "cannot be read: access is denied, or it is a directory.",
                _ => "cannot be read.",
            };
            throw new UsageException($"{subject} {problem}{hint}");
        }
    }

    private static ReadOnlyMemory<byte> TrimLineEnd(ReadOnlyMemory<byte> text) =>
        text.Span.EndsWith("\r\n"u8) ? text[..^2] : text.Span.EndsWith("\n"u8) ? text[..^1] : text;

    /// <summary>Removes the scheme of a token that was copied from a header.</summary>
    public static string RemoveScheme(string token) =>
        token.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? token["Bearer ".Length..].TrimStart() : token;
}
