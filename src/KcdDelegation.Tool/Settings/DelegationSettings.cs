using KcdDelegation.Kerberos;

namespace KcdDelegation.Tool.Settings;

/// <summary>Which account delegates, and where its KDCs are.</summary>
/// <param name="Realm">The account's.</param>
/// <param name="Account">Its name, without the realm.</param>
/// <param name="Key">Where its key is.</param>
/// <param name="Kdcs">By realm; a realm that is not here is found by the engine.</param>
/// <param name="SuffixRealms">Where the users of a user principal suffix live; one that is not here is found by asking.</param>
/// <param name="Application">Whose settings hold where no option says otherwise; null: no application was named.</param>
internal sealed record DelegationSettings(
    string Realm,
    string Account,
    AccountKeyProvider Key,
    IReadOnlyDictionary<string, IReadOnlyList<KdcEndpoint>> Kdcs,
    IReadOnlyDictionary<string, string> SuffixRealms,
    ConfiguredApplication? Application);

/// <param name="Kind">What the path leads to.</param>
/// <param name="Path">Of the file.</param>
internal sealed record AccountKeyProvider(KeyFileKind Kind, string Path);

internal enum KeyFileKind
{
    Keytab,
    PasswordFile,

    /// <summary>A password, read from standard input.</summary>
    StandardInput,
}
