using System.Diagnostics;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Kerberos.Tests.Files;

public sealed class KeytabCostTests
{
    [Fact]
    public void A_count_that_the_file_cannot_hold_allocates_nothing()
    {
        var file = Convert.FromHexString("05020000002FFFFF" + new string('0', 90));
        Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Read();
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(32_000);

        void Read() => Should.Throw<InvalidDataException>(() => KeytabReader.Read(file)).Message.ShouldContain("truncated");
    }

    [Fact]
    public void Many_entries_of_one_principal_are_sorted_in_less_than_quadratic_time()
    {
        var entries = Enumerable.Range(0, 25_000)
            .Select(i => new KeytabEntry(
                ["gw"], "CONTOSO.COM", 1, KeytabSamples.Written.AddSeconds(i % 7), (uint)(i % 64), 23,
                Key: null) { KvnoWidth = KvnoWidth.LowEightBits })
            .ToList();
        using var keytab = new Keytab(entries);
        var started = Stopwatch.GetTimestamp();
        keytab.FindEntries("gw", "CONTOSO.COM").Count.ShouldBe(25_000);
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(1));
    }
}
