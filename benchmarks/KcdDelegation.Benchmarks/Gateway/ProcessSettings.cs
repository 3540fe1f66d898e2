using System.Text.Json;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>The settings file of a measured process: the section <c>Kcd</c> of the library, and <c>Benchmark</c>.</summary>
internal sealed class ProcessSettings
{
    public const string Section = "Benchmark";
    public const string KcdSection = "Kcd";
    public const string Application = "app";
    public const string Service = "HTTP/app.bench.test";
    public const string UserClaim = "onprem_sam_account_name";
    public const string UserField = "X-User";

    /// <summary>The limit on users of a process, which the users of all rows do not reach.</summary>
    public const int MaxUsers = 20_000;

    /// <summary>The limit on tickets and on headers, which those of 12 KB of all users do not reach.</summary>
    public const long MaxCacheBytes = 1L << 30;

    public Forwarding Forwarding { get; set; }

    public CallerCheck Check { get; set; }

    public string Backend { get; set; } = "";

    public string Authority { get; set; } = "";

    public string Audience { get; set; } = "";

    /// <summary>Gets or sets the length of the constant <c>Authorization</c> value of the control.</summary>
    public int ControlLength { get; set; }

    /// <summary>Returns the name of a user by number. All names have the same length.</summary>
    public static string GetUser(int number) => $"user{number:00000}";

    /// <summary>Returns the constant <c>Authorization</c> value of the control.</summary>
    public string CreateControlValue()
    {
        const string Scheme = "Negotiate ";
        return Scheme + new string('A', ControlLength - Scheme.Length);
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">The path.</param>
    /// <param name="kcd">The realm, the account and the token settings.</param>
    public void Write(string path, KcdOptions kcd)
    {
        var token = Check == CallerCheck.KcdBearer
            ? new { kcd.Token.Authority, kcd.Token.Audience, kcd.Token.TenantId }
            : null;
        var application = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["InternalUrl"] = Backend,
            ["AllowPlainHttp"] = true,
            ["ServicePrincipalName"] = Service,
            ["LoginIdentity"] = nameof(LoginIdentity.OnPremisesSamAccountName),
        };
        var library = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["Realm"] = kcd.Realm!,
            ["ServiceAccount"] = new { kcd.ServiceAccount.Name, kcd.ServiceAccount.Keytab },
            ["Kdcs"] = kcd.Kdcs,
            ["Applications"] = new Dictionary<string, object>(StringComparer.Ordinal) { [Application] = application },
            ["MaxUsers"] = MaxUsers,
            ["MaxCacheBytes"] = MaxCacheBytes,
        };
        if (token is not null)
            library["Token"] = token;
        File.WriteAllText(path, JsonSerializer.Serialize(
            new Dictionary<string, object>(StringComparer.Ordinal) { [Section] = this, [KcdSection] = library }));
    }
}
