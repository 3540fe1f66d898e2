namespace KcdDelegation.Identity;

/// <summary>A Microsoft Entra cloud. The issuer of its version 1.0 tokens differs from the address of the authority.</summary>
/// <param name="Host">The host of the authority and of the issuer of version 2.0 tokens.</param>
/// <param name="Version1Issuer">The issuer of version 1.0 tokens, without the tenant.</param>
internal sealed record EntraCloud(string Host, string Version1Issuer)
{
    private static readonly EntraCloud[] All =
    [
        new("login.microsoftonline.com", "https://sts.windows.net/") { Aliases = ["login.windows.net", "login.microsoft.com"] },
        new("login.microsoftonline.us", "https://sts.windows.net/"),
        new("login.partner.microsoftonline.cn", "https://sts.chinacloudapi.cn/"),
    ];

    /// <summary>Gets further hosts that serve the same documents.</summary>
    public IReadOnlyList<string> Aliases { get; private init; } = [];

    /// <summary>Finds the cloud of an authority; null if it is another issuer.</summary>
    public static EntraCloud? Find(Uri authority) => Array.Find(All, cloud =>
        string.Equals(cloud.Host, authority.Host, StringComparison.OrdinalIgnoreCase)
            || cloud.Aliases.Contains(authority.Host, StringComparer.OrdinalIgnoreCase)
            || cloud.Version1Issuer.Equals($"https://{authority.Host}/", StringComparison.OrdinalIgnoreCase));

    /// <summary>Determines whether a name of an issuer is one of the names of a tenant's directory, with or without a slash at the
    /// end.</summary>
    public static bool IsDirectory(string issuer, string tenant)
    {
        var name = issuer.EndsWith('/') ? issuer[..^1] : issuer;
        return Array.Exists(All, cloud =>
            name.Equals($"{cloud.Version1Issuer}{tenant}", StringComparison.OrdinalIgnoreCase)
                || name.Equals($"https://{cloud.Host}/{tenant}", StringComparison.OrdinalIgnoreCase)
                || name.Equals($"https://{cloud.Host}/{tenant}/v2.0", StringComparison.OrdinalIgnoreCase));
    }

    public string GetIssuer(Uri authority, string? tenant) =>
        authority.AbsolutePath.TrimEnd('/').EndsWith("/v2.0", StringComparison.OrdinalIgnoreCase)
            ? $"https://{Host}/{tenant}/v2.0"
            : $"{Version1Issuer}{tenant}/";
}
