using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The pre-authentication types that a KDC offers in the METHOD-DATA of a KRB-ERROR (RFC 4120 §5.9.1).</summary>
internal static class PreAuthenticationOffer
{
    public const int EncryptedChallenge = 138;

    /// <summary>The type of KERB-SUPERSEDED-BY-USER (MS-KILE §2.2): the account was migrated to a delegated managed service
    /// account.</summary>
    public const int SupersededByUser = 170;

    /// <summary>Returns the types, or an empty list if the e-data is not METHOD-DATA.</summary>
    public static IReadOnlyList<int> Read(KrbError error)
    {
        if (error.Data.IsEmpty)
            return [];
        try
        {
            return [.. PaData.DecodeMethodData(error.Data).Select(entry => (int)entry.Type)];
        }
        catch (KerberosException)
        {
            return []; // e-data of other forms is allowed (RFC 4120 §5.9.1); nothing is decided from it
        }
    }

    /// <summary>Returns the types with their names, for a message.</summary>
    public static string Describe(IReadOnlyList<int> types) =>
        types.Count == 0 ? "no type" : string.Join(", ", types.Distinct().Take(16).Select(PaDataNames.Describe));
}
