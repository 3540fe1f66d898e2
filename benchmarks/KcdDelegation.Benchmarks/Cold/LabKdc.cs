using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Cold;

/// <summary>The MIT KDC of <c>tests/lab</c>, its connector, and the users that <c>mit users 10000</c> adds.</summary>
internal static class LabKdc
{
    public const string Realm = "MIT.TEST";
    public const string Connector = "HTTP/connector.mit.test";
    public const string Target = "HTTP/web.mit.test";
    public const string Address = "127.0.0.1:10088";

    private static readonly string s_directory =
        Environment.GetEnvironmentVariable("LAB_DIR") ?? Path.Combine(Path.GetTempPath(), "kcdlab");

    public static string Keytab => Path.Combine(s_directory, "mit/kt/connector.keytab");

    /// <summary>Returns the name of a user, such as u00001.</summary>
    public static string User(int number) => $"u{number:00000}";

    public static S4UClientOptions CreateOptions(ServiceAccount account, KdcTransport transport) => new()
    {
        Realm = Realm,
        Account = account,
        Kdcs = { [Realm] = [KdcEndpoint.Parse(Address) with { Transport = transport }] },
        // Bursts wait for the KDC even on a slow machine.
        Timeout = TimeSpan.FromMinutes(5),
    };

    /// <summary>Returns the number of TGS-REQs that the KDC has answered according to its log.</summary>
    public static int CountExchanges() => File.ReadLines(Path.Combine(s_directory, "mit/kdc.log"))
        .Count(line => line.Contains("TGS_REQ", StringComparison.Ordinal) && line.Contains("ISSUE", StringComparison.Ordinal));

    /// <summary>Returns why the KDC cannot be used, or null if it is up and has the users.</summary>
    public static string? ReasonMissing()
    {
        var users = Path.Combine(s_directory, "mit/users");
        return !File.Exists(Keytab) ? "the lab's MIT realm is not up (tests/lab/all up mit)"
            : !File.Exists(users) || int.Parse(File.ReadAllText(users), System.Globalization.CultureInfo.InvariantCulture) < 10_000
                ? "the lab's MIT realm does not have enough users (tests/lab/mit users 10000)"
            : null;
    }
}
