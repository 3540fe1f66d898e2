namespace KcdDelegation.Benchmarks.Sessions;

/// <summary>One server to measure.</summary>
/// <param name="Name">The name in the tables.</param>
/// <param name="Baseline">The name of the column with the same server and without a sign-in.</param>
/// <param name="SignsIn">Whether users sign in.</param>
internal sealed record ProxyColumn(string Name, string Baseline, bool SignsIn)
{
    public const string Yarp = "plain YARP";
    public const string Gateway = "kcd-gateway, `None`";
    public const string Delegated = "kcd-gateway, delegation";
    public const string Nginx = "nginx";
    public const string Apache = "Apache";
    public const string ApacheOpenId = "Apache, mod_auth_openidc";

    /// <summary>Gets all columns, in the order of the first round.</summary>
    public static IReadOnlyList<ProxyColumn> All { get; } =
    [
        new(Yarp, Yarp, SignsIn: false),
        new(Gateway, Yarp, SignsIn: true),
        new(Delegated, Yarp, SignsIn: true),
        new(Nginx, Nginx, SignsIn: false),
        new(Apache, Apache, SignsIn: false),
        new(ApacheOpenId, Apache, SignsIn: true),
    ];

    /// <summary>Returns why a column cannot be measured here; null if it can.</summary>
    public string? FindObstacle() => Name switch
    {
        Nginx when !File.Exists(NginxSettings.Program) => "nginx is not installed (Debian: apt-get install nginx-light).",
        Apache or ApacheOpenId when !File.Exists(ApacheSettings.Program) =>
            "Apache is not installed (Debian: apt-get install apache2-bin).",
        ApacheOpenId when !File.Exists(ApacheSettings.OpenIdModule) =>
            "mod_auth_openidc is not installed (Debian: apt-get install libapache2-mod-auth-openidc).",
        _ => null,
    };
}
