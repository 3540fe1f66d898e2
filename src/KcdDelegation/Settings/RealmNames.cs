using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>RFC 4120 §6.1: realms in the domain style, the only one in use.</summary>
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
