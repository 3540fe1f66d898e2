using System.Runtime.InteropServices;

namespace KcdDelegation.Benchmarks.Peers;

/// <summary>The environment of MIT's libraries: sets KRB5_CONFIG and KRB5CCNAME for native code too, which the setter of .NET does
/// not.</summary>
internal static partial class KerberosEnvironment
{
    public static void Set(string name, string value)
    {
        if (SetEnv(name, value, 1) != 0)
            throw new InvalidOperationException($"{name} cannot be set.");
    }

    /// <summary>Writes a minimal krb5.conf without DNS. It is deleted when the process ends, because MIT's libraries can read it at any
    /// time.</summary>
    /// <returns>The path of the file.</returns>
    public static string WriteConfiguration(string realm, string? kdc = null, string libdefaults = "")
    {
        var path = Path.Combine(Path.GetTempPath(), $"kcd-bench-{Guid.NewGuid():N}.conf");
        File.WriteAllText(path, $"""
            [libdefaults]
             default_realm = {realm}
             dns_lookup_kdc = false
             dns_lookup_realm = false
             dns_canonicalize_hostname = false
             rdns = false
             forwardable = true
            {libdefaults}
            [realms]
             {realm} = {"{"}
             {(kdc is null ? "" : $" kdc = {kdc}")}
             {"}"}
            [domain_realm]
             .{realm.ToLowerInvariant()} = {realm}
            """);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        return path;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);
}
