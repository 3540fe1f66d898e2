using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using KcdDelegation.Kerberos;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Settings;

/// <summary>Secrets that come through a pipe or from a file, never as arguments, which every process of the machine can read.</summary>
internal static class SecretInput
{
    private const int MaxPasswordLength = 4096;
    private const int MaxTokenLength = 256 * 1024;

    /// <summary>An account with the password on standard input; one line end behind it is not part of it.</summary>
    /// <exception cref="UsageException">There is no password, or it would be typed for all to see.</exception>
    public static async Task<ServiceAccount> ReadPasswordAsync(string account, Streams streams, CancellationToken cancellationToken)
    {
        if (streams.InputIsTerminal)
            throw new UsageException("--password-file - reads a pipe, so that the password does not show on the terminal: kcd … --password-file - < FILE");
        var buffer = GC.AllocateUninitializedArray<byte>(MaxPasswordLength, pinned: true);
        var characters = GC.AllocateUninitializedArray<char>(MaxPasswordLength, pinned: true);
        try
        {
            var length = await streams.Input.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (length == buffer.Length)
                throw new UsageException($"Standard input has more than the {MaxPasswordLength - 1} bytes that a password may have.");
            var text = WithoutLineEnd(buffer.AsMemory(0, length));
            if (text.IsEmpty || !Utf8.IsValid(text.Span))
                throw new UsageException(text.IsEmpty ? "Standard input has no password." : "The password on standard input is not UTF-8 text.");
            return ServiceAccount.FromPassword(account, characters.AsSpan(0, Encoding.UTF8.GetChars(text.Span, characters)));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
            CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(characters.AsSpan()));
        }
    }

    /// <summary>A token from a file or, for <c>-</c>, from standard input; white space around it is dropped.</summary>
    /// <exception cref="UsageException">The file cannot be read, or holds more or less than a token.</exception>
    public static async Task<string> ReadTokenAsync(string fileOrDash, Streams streams, CancellationToken cancellationToken)
    {
        if (fileOrDash == "-")
            return await ReadTokenAsync(streams.Input, "standard input", cancellationToken);
        try
        {
            await using var file = File.OpenRead(fileOrDash);
            return await ReadTokenAsync(file, fileOrDash, cancellationToken);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{fileOrDash} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    private static async Task<string> ReadTokenAsync(Stream stream, string name, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxTokenLength];
        try
        {
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (length == buffer.Length)
                throw new UsageException($"{name} has more than the {MaxTokenLength - 1} bytes that a token may have.");
            var token = Encoding.UTF8.GetString(buffer, 0, length).Trim();
            return token.Length > 0 ? token : throw new UsageException($"{name} is empty: there is no token in it.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static ReadOnlyMemory<byte> WithoutLineEnd(ReadOnlyMemory<byte> text) =>
        text.Span.EndsWith("\r\n"u8) ? text[..^2] : text.Span.EndsWith("\n"u8) ? text[..^1] : text;
}
