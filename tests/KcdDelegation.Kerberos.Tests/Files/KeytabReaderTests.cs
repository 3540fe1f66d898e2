using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Files;

namespace KcdDelegation.Kerberos.Tests.Files;

public sealed class KeytabReaderTests
{
    [Fact]
    public void Every_field_of_a_file_of_ktutil_is_read()
    {
        var entries = KeytabReader.Read(KeytabSamples.FromKtutil);

        entries.Select(entry => entry.Principal)
            .ShouldBe(["HTTP/gw.contoso.com@CONTOSO.COM", "CONNECTOR$@CONTOSO.COM", "CONNECTOR$@CONTOSO.COM"]);
        entries.Select(entry => entry.Kvno).ShouldBe([300u, 4u, 4u]);
        entries.Select(entry => entry.EncryptionTypeNumber).ShouldBe([18, 23, 17]);
        entries[0].KvnoWidth.ShouldBe(KvnoWidth.Full);
        entries[0].Timestamp.ShouldBe(new DateTimeOffset(2026, 11, 22, 2, 29, 59, TimeSpan.Zero));
        Convert.ToHexStringLower(entries[2].Key!.Bytes).ShouldBe("48a7b04b7072a160a63648d3fb022bb1");
    }

    [Fact]
    public void A_key_of_an_unimplemented_type_keeps_only_its_number() =>
        KeytabReader.Read(KeytabSamples.FromKtutil)[1].ShouldSatisfyAllConditions(
            entry => entry.Key.ShouldBeNull(),
            entry => EncryptionTypeNames.Get(entry.EncryptionTypeNumber).ShouldBe("rc4-hmac"));

    [Fact]
    public void The_reader_reads_what_the_writer_writes()
    {
        using var file = KeytabWriter.Encode(KeytabReader.Read(KeytabSamples.FromKtutil).Where(entry => entry.Key is not null));

        var entries = KeytabReader.Read(file.Written.Span);

        entries.Select(entry => (entry.Principal, entry.Kvno))
            .ShouldBe([("HTTP/gw.contoso.com@CONTOSO.COM", 300u), ("CONNECTOR$@CONTOSO.COM", 4u)]);
        entries[1].Key!.Bytes.ToArray().ShouldBe(KeytabReader.Read(KeytabSamples.FromKtutil)[2].Key!.Bytes.ToArray());
    }

    [Fact]
    public void Holes_are_skipped_and_a_size_of_zero_ends_the_file()
    {
        var whole = KeytabSamples.Bytes(KeytabSamples.Entry("gw", 1, EncryptionType.Aes256CtsHmacSha1, 1)).AsSpan(2).ToArray();
        byte[] hole = [0xff, 0xff, 0xff, 0xfd, 1, 2, 3];

        var entries = KeytabReader.Read([5, 2, .. hole, .. whole, .. hole, .. whole, 0, 0, 0, 0, 0xaa, 0xbb]);

        entries.Count.ShouldBe(2);
    }

    [Fact]
    public void Without_a_full_version_or_with_zero_the_eight_bit_version_is_used()
    {
        var entry = KeytabSamples.Entry("gw", 7, EncryptionType.Aes128CtsHmacSha1, 1, width: KvnoWidth.LowEightBits);
        var shortOne = KeytabSamples.Bytes(entry);
        byte[] withZero = [.. shortOne, 0, 0, 0, 0, 9, 9];
        BinaryPrimitives.WriteInt32BigEndian(withZero.AsSpan(2), withZero.Length - 6);

        foreach (var file in new[] { shortOne, withZero })
        {
            var read = KeytabReader.Read(file).ShouldHaveSingleItem();
            read.Kvno.ShouldBe(7u);
            read.KvnoWidth.ShouldBe(KvnoWidth.LowEightBits);
        }
    }

    [Theory]
    [InlineData("0501", "version 0501")]
    [InlineData("0503", "version 0503")]
    [InlineData("2d2d2d2d", "not a keytab")]
    [InlineData("05", "not a keytab")]
    [InlineData("0502 00", "truncated")]
    [InlineData("0502 00000010 0001", "truncated")]
    [InlineData("0502 80000000", "truncated")]
    [InlineData("0502 00000002 0000", "without a name")]
    [InlineData("0502 00000005 0001 0001 ff", "not UTF-8")]
    public void A_file_that_is_not_a_keytab_of_this_version_is_rejected_with_the_reason(string hex, string reason) =>
        Should.Throw<InvalidDataException>(() => KeytabReader.Read(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))))
            .Message.ShouldContain(reason);

    [Fact]
    public void A_key_of_the_wrong_length_is_rejected()
    {
        var file = KeytabSamples.Bytes(KeytabSamples.Entry("gw", 1, EncryptionType.Aes256CtsHmacSha1, 1));
        // The encryption type precedes the key's length, the key and the four bytes of the version.
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(file.Length - 4 - 32 - 2 - 2), 17);

        Should.Throw<InvalidDataException>(() => KeytabReader.Read(file)).Message.ShouldContain("32 bytes");
    }

    [Fact]
    public void Truncated_and_mutated_files_are_read_or_rejected_with_InvalidDataException()
    {
        var sample = KeytabSamples.FromKtutil;
        for (var length = 0; length < sample.Length; length++)
            ReadOrRefuse(sample.AsSpan(0, length).ToArray());
        for (var round = 0; round < 20_000; round++)
        {
            var mutated = sample.ToArray();
            for (var change = RandomNumberGenerator.GetInt32(1, 4); change > 0; change--)
                mutated[RandomNumberGenerator.GetInt32(2, mutated.Length)] = (byte)RandomNumberGenerator.GetInt32(256);
            ReadOrRefuse(mutated);
        }

        static void ReadOrRefuse(byte[] file)
        {
            try
            {
                KeytabReader.Read(file).Count.ShouldBeLessThanOrEqualTo(file.Length);
            }
            catch (InvalidDataException refused)
            {
                refused.Message.ShouldNotBeEmpty();
            }
        }
    }

    [Fact]
    public async Task The_writer_creates_files_that_only_their_owner_may_read()
    {
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var path = Path.Combine(directory.FullName, "gw.keytab");
            await File.WriteAllTextAsync(path, "old", TestContext.Current.CancellationToken);

            await KeytabWriter.WriteAsync(
                path, [KeytabSamples.Entry("gw", 1, EncryptionType.Aes256CtsHmacSha1, 1)], TestContext.Current.CancellationToken);

            KeytabReader.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            Directory.GetFiles(directory.FullName).ShouldBe([path]);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
