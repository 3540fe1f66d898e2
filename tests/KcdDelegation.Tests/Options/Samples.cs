namespace KcdDelegation.Tests;

/// <summary>Valid options, for tests that make one setting invalid.</summary>
internal static class Samples
{
    /// <summary>Gets the path of an empty file, since settings whose key files do not exist are not valid.</summary>
    public static string KeyFile { get; } = CreateKeyFile();

    public static KcdOptions Options() => new()
    {
        Realm = "CONTOSO.COM",
        ServiceAccount = { Name = "CONNECTOR$", Keytab = KeyFile },
        Kdcs = { "dc1.contoso.com" },
        Realms =
        {
            ["EU.CONTOSO.COM"] = new RealmOptions { Kdcs = { "dc1.eu.contoso.com" }, UserPrincipalSuffixes = { "eu.contoso.com" } },
        },
        Token =
        {
            Authority = "https://login.example/tenant/v2.0",
            Audience = "api://gateway",
            TenantId = "11111111-2222-3333-4444-555555555555",
        },
        Applications =
        {
            ["erp"] = new DelegatedApplication
            {
                InternalUrl = new Uri("https://erp.contoso.com/"),
                ServicePrincipalName = "HTTP/erp.contoso.com",
                LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
                UserRealm = "CONTOSO.COM",
                TokenFormat = TokenFormat.Spnego,
            },
        },
    };

    private static string CreateKeyFile()
    {
        var path = Path.Combine(Path.GetTempPath(), "kcd-tests.keytab");
        File.WriteAllBytes(path, []);
        return path;
    }

    public static DelegatedApplication Application(this KcdOptions options) => options.Applications["erp"];
}
