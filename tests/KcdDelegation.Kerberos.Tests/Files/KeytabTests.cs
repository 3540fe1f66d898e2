using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Kerberos.Tests.Files;

public sealed class KeytabTests
{
    private const EncryptionType Aes256 = EncryptionType.Aes256CtsHmacSha1;

    [Fact]
    public void The_newest_version_is_the_highest() =>
        Newest(KeytabSamples.Entry("gw", 2, Aes256, 2), KeytabSamples.Entry("gw", 10, Aes256, 10), KeytabSamples.Entry("gw", 9, Aes256, 9))
            .ShouldBe(10u);

    [Fact]
    public void An_eight_bit_version_wraps_around_if_the_lower_one_is_not_older()
    {
        var before = KeytabSamples.Entry("gw", 255, Aes256, 1, width: KvnoWidth.LowEightBits);
        var after = KeytabSamples.Entry("gw", 0, Aes256, 2, KeytabSamples.Written.AddDays(30), KvnoWidth.LowEightBits);
        var old = KeytabSamples.Entry("gw", 1, Aes256, 3, KeytabSamples.Written.AddDays(-3000), KvnoWidth.LowEightBits);

        Newest(before, after, old).ShouldBe(0u);
        Newest(before, old).ShouldBe(255u);
    }

    [Fact]
    public void A_full_version_does_not_wrap() =>
        Newest(KeytabSamples.Entry("gw", 255, Aes256, 1), KeytabSamples.Entry("gw", 1, Aes256, 2, KeytabSamples.Written.AddDays(1)))
            .ShouldBe(255u);

    [Fact]
    public void A_name_with_the_exact_spelling_is_preferred_to_one_that_differs_in_case()
    {
        using var keytab = new Keytab([KeytabSamples.Entry("GW", 9, Aes256, 9), KeytabSamples.Entry("gw", 1, Aes256, 1)]);

        keytab.FindEntries("gw", "CONTOSO.COM").Select(entry => entry.Kvno).ShouldBe([1u]);
        keytab.FindEntries("Gw", "contoso.com").Select(entry => entry.Kvno).ShouldBe([9u, 1u]);
    }

    [Fact]
    public void Names_are_compared_by_component_and_realm()
    {
        using var keytab = new Keytab([KeytabSamples.Entry("HTTP/gw", 1, Aes256, 1)]);

        keytab.FindEntries("HTTP", "CONTOSO.COM").ShouldBeEmpty();
        keytab.FindEntries("HTTP/gw", "OTHER.COM").ShouldBeEmpty();
        keytab.FindEntries("http/GW", "CONTOSO.COM").ShouldHaveSingleItem();
    }

    [Fact]
    public void The_key_version_of_a_read_only_controller_matches_by_its_low_half() =>
        KeytabSamples.Entry("gw", 5, Aes256, 1).HasKvno(0x1A2B0005).ShouldBeTrue();

    [Fact]
    public void An_eight_bit_version_is_compared_by_eight_bits()
    {
        KeytabSamples.Entry("gw", 5, Aes256, 1, width: KvnoWidth.LowEightBits).HasKvno(261).ShouldBeTrue();
        KeytabSamples.Entry("gw", 5, Aes256, 1, width: KvnoWidth.Full).HasKvno(261).ShouldBeFalse();
    }

    private static uint Newest(params KeytabEntry[] entries)
    {
        using var keytab = new Keytab(entries);
        return Keytab.SelectNewest(keytab.FindEntries("gw", "CONTOSO.COM"))[0].Kvno;
    }
}
