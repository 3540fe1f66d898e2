using KcdDelegation.Kerberos;
using KcdDelegation.Settings;

namespace KcdDelegation.Tool.Settings;

/// <summary>The delegating account and its KDCs.</summary>
/// <param name="Realm">The realm of the account.</param>
/// <param name="Account">The name of the account, without the realm.</param>
/// <param name="Key">The file with the key of the account.</param>
/// <param name="Kdcs">The KDCs by realm. The engine discovers the KDCs of other realms.</param>
/// <param name="SuffixRealms">The realm of the users by UPN suffix. For other suffixes the engine asks the KDCs.</param>
/// <param name="Application">The application whose settings apply where no option is specified; null if no application was named.</param>
/// <param name="Limits">The times and bounds of the engine.</param>
internal sealed record DelegationSettings(
    string Realm,
    string Account,
    AccountKeyFile Key,
    IReadOnlyDictionary<string, IReadOnlyList<KdcEndpoint>> Kdcs,
    IReadOnlyDictionary<string, string> SuffixRealms,
    ConfiguredApplication? Application,
    ClientLimits Limits);

/// <summary>The source of the account's key.</summary>
/// <param name="Kind">The kind of file.</param>
/// <param name="Path">The path of the file.</param>
/// <param name="Origin">The option or the settings key that specified the path.</param>
internal sealed record AccountKeyFile(KeyFileKind Kind, string Path, string Origin)
{
    /// <summary>The settings for reading the account's password from the directory. Null for a file with the account's own key.</summary>
    public ManagedPasswordSettings? ManagedPassword { get; init; }
}

internal enum KeyFileKind
{
    Keytab,
    PasswordFile,

    /// <summary>The keytab of the account that reads the managed password.</summary>
    ReaderKeytab,

    /// <summary>A password on standard input.</summary>
    StandardInput,
}
