using KcdDelegation.Diagnosis;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The remedies of faults of a backend.</summary>
internal static class BackendRemedies
{
    private const string WindowsAuthentication = "-section:system.webServer/security/authentication/windowsAuthentication";

    /// <summary>Returns how to turn on Negotiate, for the server that the Server field names, otherwise for the usual ones.</summary>
    public static string OfferNegotiate(string? server)
    {
        const string Iis = "On IIS, enable Windows Authentication and put the provider Negotiate first: "
            + $"`appcmd set config {WindowsAuthentication} /enabled:true /commit:apphost`.";
        const string Apache = "On Apache, protect the location with mod_auth_gssapi: AuthType GSSAPI, and GssapiCredStore with the "
            + "keytab.";
        const string Nginx = "On nginx, protect the location with its SPNEGO module: auth_gss on, and auth_gss_keytab with the keytab.";
        return IsIis(server) ? Iis
            : Names(server, "Apache") ? Apache
            : Names(server, "nginx") ? Nginx
            : $"Turn on Integrated Windows Authentication (Negotiate) at the backend. {Iis} {Apache} {Nginx}";
    }

    /// <summary>Returns how to give the backend the key of the ticket.</summary>
    /// <param name="names">The names of the subject.</param>
    /// <param name="holder">The account that holds the service principal name, or null.</param>
    /// <param name="server">The Server field, or null.</param>
    public static string RenewKey(ErrorNames names, AccountRecord? holder, string? server)
    {
        var account = holder?.Quoted ?? "TARGET";
        var export = "Export the key of the service again to the keytab of the backend, for which backend.keytab stands: " + Remedies.Run(
            names,
            $"ktpass -princ {names.ServiceInRealm} -mapuser {account} -ptype KRB5_NT_PRINCIPAL -crypto AES256-SHA1 -setpass -setupn "
                + "-pass * -out backend.keytab",
            $"samba-tool domain exportkeytab backend.keytab --principal={names.ServiceQuoted}",
            $"kadmin.local ktadd -norandkey -k backend.keytab {names.ServiceQuoted}",
            $"kadmin -l ext_keytab --keytab=backend.keytab {names.ServiceQuoted}");
        var pool = "Let the application pool decrypt tickets, in place of the machine's account: "
            + $"`appcmd set config {WindowsAuthentication} /useAppPoolCredentials:true /commit:apphost`. The pool must run as "
            + (holder is null ? "the account that holds the name." : $"{account}, which holds the name.");
        return IsIis(server) ? pool : export + " The application must run as the account that holds the name.";
    }

    /// <summary>Determines whether the Server field names IIS or http.sys.</summary>
    public static bool IsIis(string? server) => Names(server, "Microsoft-IIS") || Names(server, "Microsoft-HTTPAPI");

    public static bool Names(string? server, string product) => server?.StartsWith(product, StringComparison.OrdinalIgnoreCase) == true;
}
