using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>A provider of keys derived from a password, given directly or by a file.</summary>
internal sealed class PasswordKeyProvider : AccountKeyProvider
{
    private readonly KeyFile<Password>? _file;
    private readonly Password? _given;

    public PasswordKeyProvider(ReadOnlySpan<char> password)
        : this(new Password(password))
    {
    }

    public PasswordKeyProvider(Password password) => _given = password;

    public PasswordKeyProvider(string account, string path)
    {
        Password? before = null;
        _file = new KeyFile<Password>(path, account, bytes =>
        {
            var read = Password.Read(bytes);
            // Salts do not change with the password. Tickets under the new key may arrive before the next log-on names the salts.
            if (before is not null)
                read.DeriveAs(before);
            return before = read;
        });
    }

    public override AccountKeySource Source => AccountKeySource.Password;

    public override long Version => _file?.Version ?? 0;

    private Password Current => _given ?? _file!.Content;

    public override void Refresh(ILogger logger) => _file?.Refresh(logger);

    public override IReadOnlyList<EncryptionType>? AvailableTypes(string realm) => null;

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        Current.DeriveLogOnKey(realm, type, salt, iterations);

    /// <remarks>The account's tickets are encrypted with its password and salt, in a type that the KDC prefers.</remarks>
    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger)
    {
        Refresh(logger);
        return Current.TicketKeys(realm, type);
    }

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) => false;

    public override string MissingVersionReason =>
        "which was not derived from the configured password; the password was changed at the KDC, or the change has not arrived here";

    public override void Dispose()
    {
        _given?.Dispose();
        _file?.Dispose();
    }
}
