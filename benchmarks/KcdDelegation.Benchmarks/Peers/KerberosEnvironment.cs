using System.Runtime.InteropServices;

namespace KcdDelegation.Benchmarks.Peers;

/// <summary>What MIT's libraries read from their process: the variables KRB5_CONFIG and KRB5CCNAME, set for native code too, which .NET's
/// own setter does not do.</summary>
internal static partial class KerberosEnvironment
{
    public static void Set(string name, string value)
    {
        if (SetEnv(name, value, 1) != 0)
            throw new InvalidOperationException($"{name} cannot be set.");
    }

    /// <summary>A krb5.conf without DNS and without surprises, which goes when the process ends: MIT's libraries may read it at any time.</summary>
    /// <returns>Its path.</returns>
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
