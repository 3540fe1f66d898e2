using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class KerberosKeyTests
{
    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_key_with_a_wrong_length_is_rejected(EncryptionType type)
    {
        foreach (int length in new[] { 0, 15, 17, 24, 31, 33 })
            Should.Throw<KerberosException>(() => new KerberosKey(type, new byte[length])).Detail.ShouldContain($"has {length} bytes");
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_key_prints_no_key_material(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        key.ToString().ShouldBe($"{type} key");
        key.Derive(KeyUsage.Ticket, KeyPurpose.Encryption).ToString().ShouldBe("(secret)");
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_disposed_key_rejects_every_operation(EncryptionType type)
    {
        var key = KerberosKey.CreateRandom(type);
        var ciphertext = key.Encrypt(KeyUsage.Ticket, [1, 2, 3]);
        var checksum = key.Checksum(KeyUsage.Ticket, [1, 2, 3]);
        key.Dispose();

        Should.Throw<ObjectDisposedException>(() => key.Bytes.Length);
        Should.Throw<ObjectDisposedException>(() => key.Encrypt(KeyUsage.Ticket, [1, 2, 3]));
        Should.Throw<ObjectDisposedException>(() => key.Decrypt(KeyUsage.Ticket, ciphertext));
        Should.Throw<ObjectDisposedException>(() => key.Checksum(KeyUsage.Ticket, [1, 2, 3]));
        Should.Throw<ObjectDisposedException>(() => key.VerifyChecksum(KeyUsage.Ticket, [1, 2, 3], checksum));
        Should.Throw<ObjectDisposedException>(() => key.Encrypt(KeyUsage.AsReply, [1, 2, 3]));
        Should.Throw<ObjectDisposedException>(() => HmacMd5Checksum.Compute(key, KeyUsage.PaForUser, [1, 2, 3]));
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void Disposing_a_key_zeroes_it_and_its_derived_keys(EncryptionType type)
    {
        var key = KerberosKey.CreateRandom(type);
        var bytes = key.Bytes;
        var encryption = key.Derive(KeyUsage.Ticket, KeyPurpose.Encryption).Span;
        var integrity = key.Derive(KeyUsage.Ticket, KeyPurpose.Integrity).Span;
        var checksum = key.Derive(KeyUsage.AsReply, KeyPurpose.Checksum).Span;
        encryption.ContainsAnyExcept((byte)0).ShouldBeTrue();

        key.Dispose();

        bytes.ContainsAnyExcept((byte)0).ShouldBeFalse();
        encryption.ContainsAnyExcept((byte)0).ShouldBeFalse();
        integrity.ContainsAnyExcept((byte)0).ShouldBeFalse();
        checksum.ContainsAnyExcept((byte)0).ShouldBeFalse();
    }

    [Fact]
    public void Keys_are_derived_once_for_each_usage_and_purpose()
    {
        using var key = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);
        var secret = key.Derive(KeyUsage.Ticket, KeyPurpose.Encryption);
        key.Derive(KeyUsage.Ticket, KeyPurpose.Integrity).ShouldNotBeSameAs(secret);
        key.Derive(KeyUsage.AsReply, KeyPurpose.Encryption).ShouldNotBeSameAs(secret);
        key.Derive(KeyUsage.Ticket, KeyPurpose.Encryption).ShouldBeSameAs(secret);
    }

    /// <summary>At any moment, an operation either uses the key or throws. It never uses zeros instead.</summary>
    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public async Task A_key_that_is_disposed_while_in_use_is_never_replaced_by_zeros(EncryptionType type)
    {
        for (int round = 0; round < 200; round++)
        {
            var bytes = KerberosKey.CreateRandom(type).Bytes.ToArray();
            using var lasting = new KerberosKey(type, bytes);
            var dying = new KerberosKey(type, bytes);
            using var begun = new ManualResetEventSlim();
            var disposing = Task.Run(() =>
            {
                begun.Wait(TestContext.Current.CancellationToken);
                dying.Dispose();
            }, TestContext.Current.CancellationToken);

            Should.Throw<ObjectDisposedException>(() =>
            {
                for (int i = 0; ; i++)
                {
                    var ciphertext = dying.Encrypt((KeyUsage)(i % 50), [4, 5, 6]);
                    lasting.Decrypt((KeyUsage)(i % 50), ciphertext).ShouldBe([4, 5, 6]);
                    begun.Set();
                    dying.Decrypt((KeyUsage)(i % 50), ciphertext).ShouldBe([4, 5, 6]);
                }
            });
            await disposing;
        }
    }
}
