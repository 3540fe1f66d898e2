using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Settings;

/// <summary>The rules for service principal names of backends.</summary>
internal static class ServiceNames
{
    private const string WebClass = "HTTP";

    /// <summary>Determines whether the name belongs to the KDC itself. A ticket for it would give the user's rights over the realm, and a
    /// KDC refuses it too (MS-SFU §3.2.5.2).</summary>
    public static bool BelongsToKdc(ServicePrincipalName service) =>
        service.ServiceClass.StartsWith("krbtgt", StringComparison.OrdinalIgnoreCase)
        || string.Equals(service.ServiceClass, "kadmin", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reports a name that no backend has.</summary>
    /// <param name="service">The name.</param>
    /// <param name="allowClass">Whether another class than HTTP, and a port, are allowed.</param>
    /// <param name="key">The key of the application.</param>
    /// <param name="errors">The errors.</param>
    public static bool Check(ServicePrincipalName service, bool allowClass, string key, SettingsErrors errors)
    {
        var nameKey = $"{key}:{nameof(DelegatedApplication.ServicePrincipalName)}";
        var quoted = PrintableText.Quoted(service.ToString());
        var allow = $"set {errors.Key($"{key}:{nameof(DelegatedApplication.AllowServiceClass)}")} to true";
        if (BelongsToKdc(service))
            errors.Add(nameKey, $"{quoted} belongs to the KDC itself", "Write the SPN of the backend");
        else if (allowClass || IsWebServer(service))
            return service.Realm is null || RealmNames.Check(service.Realm, nameKey, errors);
        else if (string.Equals(service.ServiceClass, "HTTPS", StringComparison.OrdinalIgnoreCase))
            errors.Add(nameKey, $"{quoted} has the class HTTPS, but the class of a web server is HTTP, with https too",
                $"Write {WebClass}/{service.Host}");
        else if (string.Equals(service.ServiceClass, WebClass, StringComparison.OrdinalIgnoreCase))
            errors.Add(nameKey, $"{quoted} has a port, but the SPN of a web server is usually registered without one",
                $"Write {WebClass}/{service.Host}, or {allow} if setspn -L ACCOUNT lists the SPN with the port");
        else
            errors.Add(nameKey,
                $"{quoted} has another class than HTTP, so its tickets give the user's rights at another service than a web server",
                $"Write the SPN of the backend, such as HTTP/erp.contoso.com, or {allow}");
        return false;
    }

    private static bool IsWebServer(ServicePrincipalName service) =>
        string.Equals(service.ServiceClass, WebClass, StringComparison.OrdinalIgnoreCase) && service.Port is null;
}
