namespace KcdDelegation.Settings;

/// <summary>A Microsoft Entra cloud. The issuer of its version 1.0 tokens differs from the address of the authority.</summary>
/// <param name="Host">The host of the authority.</param>
/// <param name="Version1Issuer">The issuer of version 1.0 tokens, without the tenant.</param>
internal sealed record EntraCloud(string Host, string Version1Issuer)
{
    private static readonly EntraCloud[] All =
    [
        new("login.microsoftonline.com", "https://sts.windows.net/"),
        new("login.microsoftonline.us", "https://sts.windows.net/"),
        new("login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn/"),
    ];

    public static EntraCloud? Find(Uri authority) =>
        Array.Find(All, cloud => string.Equals(cloud.Host, authority.Host, StringComparison.OrdinalIgnoreCase));

    public string GetIssuer(Uri authority, string? tenant) =>
        authority.AbsolutePath.TrimEnd('/').EndsWith("/v2.0", StringComparison.OrdinalIgnoreCase)
            ? $"https://{Host}/{tenant}/v2.0"
            : $"{Version1Issuer}{tenant}/";
}
