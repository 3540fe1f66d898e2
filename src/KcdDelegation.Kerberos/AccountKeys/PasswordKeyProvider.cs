using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Keys made from a password that was given, or that a file holds.</summary>
internal sealed class PasswordKeyProvider : AccountKeyProvider
{
    private readonly KeyFile<Password>? _file;
    private readonly Password? _given;

    public PasswordKeyProvider(ReadOnlySpan<char> password) => _given = new Password(password);

    public PasswordKeyProvider(string account, string path)
    {
        Password? before = null;
        _file = new KeyFile<Password>(path, account, bytes =>
        {
            var read = Password.Read(bytes);
            // The salts are the account's, whatever its password is: tickets of the new key come before the next log-on names them again.
            if (before is not null)
                read.DeriveAs(before);
            return before = read;
        });
    }

    public override long Version => _file?.Version ?? 0;

    private Password Current => _given ?? _file!.Content;

    public override void Refresh(ILogger logger) => _file?.Refresh(logger);

    public override IReadOnlyList<EncryptionType>? AvailableTypes(string realm) => null;

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        Current.DeriveLogOnKey(realm, type, salt, iterations);

    /// <remarks>The account's tickets are encrypted with the same password and salt as its log-on, in whatever type the KDC likes best.</remarks>
    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger)
    {
        Refresh(logger);
        return Current.TicketKeys(realm, type);
    }

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) => false;

    public override string LackOfVersion => "which is not made of the password that is configured: it was changed at the KDC, or is about to be here";

    public override void Dispose()
    {
        _given?.Dispose();
        _file?.Dispose();
    }
}
