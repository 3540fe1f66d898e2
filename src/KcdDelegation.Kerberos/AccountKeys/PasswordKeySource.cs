using KcdDelegation.Kerberos.Crypto;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.AccountKeys;

/// <summary>Keys made from a password that was given, or that a file holds.</summary>
internal sealed class PasswordKeySource : KeySource
{
    private readonly KeyFile<Password>? _file;
    private readonly Password? _given;

    public PasswordKeySource(ReadOnlySpan<char> password) => _given = new Password(password);

    public PasswordKeySource(string account, string path) => _file = new KeyFile<Password>(path, account, Password.Read);

    public override long Version => _file?.Version ?? 0;

    private Password Current => _given ?? _file!.Content;

    public override void Refresh(ILogger logger) => _file?.Refresh(logger);

    public override IReadOnlyList<EncryptionType>? AvailableTypes(string realm) => null;

    public override KerberosKey GetLogOnKey(string realm, EncryptionType type, string salt, int iterations) =>
        Current.DeriveLogOnKey(realm, type, salt, iterations);

    /// <remarks>The account's tickets are encrypted with the same password and salt as its log-on, in whatever type the KDC likes best.</remarks>
    public override IReadOnlyList<KerberosKey> GetTicketKeys(string realm, EncryptionType type, uint? kvno, ILogger logger) =>
        Current.TicketKeys(realm, type);

    public override bool HasVersion(string realm, EncryptionType type, uint? kvno) => true;

    public override void Dispose()
    {
        _given?.Dispose();
        _file?.Dispose();
    }
}
