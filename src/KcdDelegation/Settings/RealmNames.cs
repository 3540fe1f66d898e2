using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>The validation of realm names in the domain style (RFC 4120 §6.1), the only one in use.</summary>
internal static class RealmNames
{
    public static bool Check(string realm, string key, SettingsErrors errors)
    {
        if (!KerberosPrincipal.IsRealm(realm))
        {
            errors.Add(
                key, $"{PrintableText.Quoted(realm)} is not a realm", "Write the domain's DNS name in capitals, such as CONTOSO.COM");
            return false;
        }
        // RFC 4120 §6.1: names of realms are case-sensitive, and those in the domain style are in upper case by convention.
        if (!realm.Any(char.IsAsciiLetterLower))
            return true;
        errors.Add(key, $"{PrintableText.Quoted(realm)} is not in capitals, and KDCs distinguish upper and lower case in realms",
            $"Write {realm.ToUpperInvariant()}");
        return false;
    }
}
