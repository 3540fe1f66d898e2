using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Peers;

/// <summary>Copies tickets of this engine to credential caches of MIT's libraries.</summary>
internal static class MemoryCredentialCache
{
    /// <summary>Copies a ticket to a memory credential cache.</summary>
    /// <returns>The name of the cache, which exists until the process ends.</returns>
    public static async Task<string> ImportAsync(ServiceTicket ticket)
    {
        var file = Path.Combine(Path.GetTempPath(), $"kcd-bench-{Guid.NewGuid():N}.ccache");
        try
        {
            await ticket.WriteCredentialCacheAsync(file);
            return CopyToMemory(file);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string CopyToMemory(string file)
    {
        var memory = $"MEMORY:kcd-bench-{Guid.NewGuid():N}";
        LibKrb5.Check(0, LibKrb5.InitContext(out var context));
        LibKrb5.Check(context, LibKrb5.ResolveCache(context, "FILE:" + file, out var from));
        LibKrb5.Check(context, LibKrb5.ResolveCache(context, memory, out var to));
        LibKrb5.Check(context, LibKrb5.GetCachePrincipal(context, from, out var principal));
        LibKrb5.Check(context, LibKrb5.InitializeCache(context, to, principal));
        LibKrb5.Check(context, LibKrb5.CopyCredentials(context, from, to));
        LibKrb5.FreePrincipal(context, principal);
        LibKrb5.Check(context, LibKrb5.CloseCache(context, from));
        LibKrb5.Check(context, LibKrb5.CloseCache(context, to));
        LibKrb5.FreeContext(context);
        return memory;
    }
}
