using System.Buffers;
using KcdDelegation.Benchmarks.Report;
using KcdDelegation.Headers;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Benchmarks.Cache;

/// <summary>Measures the memory of 100,000 tickets, and of 10,000 tickets in use: resident bytes of the process, including native memory,
/// after a
/// collection. It requires its own process.</summary>
internal static class CacheMemory
{
    private const int Entries = 100_000;
    private const int Hot = 10_000;
    private const int TicketBytes = 2048;

    public static async Task RunAsync(string results)
    {
        await using var fixture = CacheFixture.CreateEmpty();
        // A warm-up, so that the memory of the JIT compiler is not attributed to the cache.
        await fixture.FillAsync(5_000, TicketBytes);
        fixture.Client.PurgeAll();
        var empty = Measure();
        await fixture.FillAsync(Entries, TicketBytes);
        var cold = Measure();
        var templates = new AuthorizationTemplateCache(maxBytes: long.MaxValue);
        await WarmAsync(fixture.Client, templates);
        var hot = Measure();
        GC.KeepAlive(templates);

        new ResultFile(results, "memory", "Memory of the ticket cache")
            .Text($"Tickets of {TicketBytes:N0} bytes, two for each user (the evidence with the SID of its PAC, and the service ticket), "
                + "decoded from replies like those of the engine. Resident memory of the process, including native memory, after a "
                + "compacting collection.")
            .Table(
                ["what", "MB resident", "of which managed", "bytes each"],
                [
                    Row($"{Entries:N0} cold entries", cold, empty, Entries),
                    Row($"{Hot:N0} of them hot: additional memory for cipher and template (SPNEGO)", hot, cold, Hot),
                ])
            .Text($"The process without entries: {Megabytes(empty.Resident)} MB. {Entries:N0} cold entries must not take more than 300 "
                + "MB (1 MB = 1,000,000 bytes). All templates together are limited to `MaxCacheBytes`.")
            .Write();
    }

    private static async Task WarmAsync(S4UClient client, AuthorizationTemplateCache templates)
    {
        var output = new ArrayBufferWriter<byte>(1 << 16);
        for (var number = 0; number < Hot; number++)
        {
            var ticket = await client.GetTicketAsync(CacheFixture.User(number), CacheFixture.Service);
            for (var use = 0; use < 3; use++)
            {
                output.ResetWrittenCount();
                new DelegatedCredential(ticket, templates, MutualAuthentication.Off).WriteAuthorization(output, TokenFormat.Spnego);
            }
        }
    }

    private static IReadOnlyList<string> Row(string what, (long Resident, long Managed) now, (long Resident, long Managed) before,
        int count) =>
        [what, Megabytes(now.Resident - before.Resident), Megabytes(now.Managed - before.Managed),
            ((double)(now.Resident - before.Resident) / count).Number(0)];

    private static string Megabytes(long bytes) => (bytes / 1e6).Number(0);

    private static (long Resident, long Managed) Measure()
    {
        for (var round = 0; round < 3; round++)
        {
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }
        return (Machine.ResidentBytes(), GC.GetTotalMemory(forceFullCollection: true));
    }
}
