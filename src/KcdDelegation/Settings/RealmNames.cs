using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>The validation of realm names in the domain style (RFC 4120 §6.1), the only one in use.</summary>
internal static class RealmNames
{
    public static bool Check(string realm, string key, SettingsErrors errors)
    {
        if (KerberosPrincipal.IsRealm(realm))
            return true;
        errors.Add(key, $"{PrintableText.Quoted(realm)} is not a realm", "Write the domain's DNS name in capitals, such as CONTOSO.COM");
        return false;
    }
}
