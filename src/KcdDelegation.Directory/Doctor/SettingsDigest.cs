using System.Globalization;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The settings in effect as lines that two hosts can compare. It has names and addresses, and no secrets.</summary>
internal static class SettingsDigest
{
    public static IReadOnlyList<SettingsDigestLine> Create(KcdSettings settings)
    {
        var lines = new List<SettingsDigestLine>();
        foreach (var application in settings.Applications.Values.OrderBy(each => each.Name, StringComparer.Ordinal))
        {
            Add("Realm", application.Client.Realm);
            Add("Account", application.Client.AccountName);
            Add("KeySource", application.Client.KeyKind);
            Add("ServicePrincipalName", application.Service);
            Add("InternalUrl", application.InternalUrl);
            Add("TokenFormat", application.TokenFormat);
            Add("MutualAuthentication", application.MutualAuthentication);
            Add("ChannelBinding", application.ChannelBinding);
            Add("LoginIdentity", application.Mapping.LoginIdentity);
            Add("UserRealm", application.Mapping.UserRealm);
            foreach (var (realm, kdcs) in application.Client.Kdcs.ByRealm)
                Add($"Kdcs:{realm}", string.Join(", ", kdcs));

            void Add(string key, object? value) => lines.Add(new SettingsDigestLine(
                $"Applications:{application.Name}:{key}", Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
        }
        return lines;
    }
}
