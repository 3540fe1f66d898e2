using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class AuthenticatorCipherTests
{
    private const KeyUsage Usage = KeyUsage.ApRequestAuthenticator;

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal void Both_paths_give_what_the_one_shot_calls_give(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        for (int round = 0; round < 8; round++)
        {
            using var key = KerberosKey.CreateRandom(type);
            using var cipher = AuthenticatorCipher.Create(key, Usage, path);
            // Not in order, so that some messages are longer and some shorter than the message before.
            for (int i = 0; i < 530; i++)
            {
                var message = RandomNumberGenerator.GetBytes(cipher.Overhead + (i * 263 % 530));
                var expected = message.ToArray();
                key.Profile.Seal(key, Usage, expected);
                cipher.Seal(message);
                Hex.Text(message).ShouldBe(Hex.Text(expected));
            }
        }
    }

    /// <summary>Both paths encrypt the same half million inputs of each type: random bytes of every message length up to four blocks of the
    /// longest hash beyond an authenticator, with changing keys.</summary>
    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    internal void The_accelerated_path_gives_what_the_platform_gives(EncryptionType type)
    {
        SkipWhatThisProcessorCannot(CipherPath.Accelerated);
        const int keys = 100, messages = 5_000, lengths = 700;
        var source = new byte[keys + messages + lengths + 64];
        RandomNumberGenerator.Fill(source);
        for (int k = 0; k < keys; k++)
        {
            using var key = KerberosKey.CreateRandom(type);
            using var accelerated = AuthenticatorCipher.Create(key, Usage, CipherPath.Accelerated);
            using var platform = AuthenticatorCipher.Create(key, Usage, CipherPath.Platform);
            byte[] first = new byte[accelerated.Overhead + lengths], second = new byte[first.Length];
            for (int i = 0; i < messages; i++)
            {
                // Not in order, so that some messages are longer and some shorter than the message before.
                int length = accelerated.Overhead + ((i * 263) % lengths);
                source.AsSpan(k + i, length).CopyTo(first);
                source.AsSpan(k + i, length).CopyTo(second);
                accelerated.Seal(first.AsSpan(0, length));
                platform.Seal(second.AsSpan(0, length));
                if (!first.AsSpan(0, length).SequenceEqual(second.AsSpan(0, length)))
                    Assert.Fail($"Key {Hex.Text(key.Bytes)}, message {Hex.Text(source.AsSpan(k + i, length))}");
            }
        }
    }

    [Theory]
    [InlineData(EncryptionType.Aes128CtsHmacSha256, "37 05 D9 60 80 C1 77 28 A0 E8 00 EA B6 E0 D2 3C",
        "A7 A4 E2 9A 47 28 CE 10 66 4F B6 4E 49 AD 3F AC",
        "72 0F 73 B1 8D 98 59 CD 6C CB 43 46 11 5C D3 36 C7 0F 58 ED C0 C4 43 7C 55 73 54 4C 31 C8 13 BC E1 E6 D0 72 C1 86 B3 9A 41 3C "
            + "2F 92 CA 9B 83 34 A2 87 FF CB FC")]
    [InlineData(EncryptionType.Aes256CtsHmacSha384, "6D 40 4D 37 FA F7 9F 9D F0 D3 35 68 D3 20 66 98 00 EB 48 36 47 2E A8 A0 26 D1 6B "
        + "71 82 46 0C 52",
        "76 3E 65 36 7E 86 4F 02 F5 51 53 C7 E3 B5 8A F1",
        "40 01 3E 2D F5 8E 87 51 95 7D 28 78 BC D2 D6 FE 10 1C CF D5 56 CB 1E AE 79 DB 3C 3E E8 64 29 F2 B2 A6 02 AC 86 FE F6 EC B6 47 "
            + "D6 29 5F AE 07 7A 1F EB 51 75 08 D2 C1 6B 41 92 E0 1F 62")]
    public void Both_paths_encrypt_as_in_RFC_8009_appendix_A(EncryptionType type, string bytes, string confounder, string ciphertext)
    {
        using var key = new KerberosKey(type, Hex.Bytes(bytes));
        foreach (var path in CipherPaths.OfThisProcessor)
        {
            using var cipher = AuthenticatorCipher.Create(key, KeyUsage.Ticket, path);
            byte[] message =
            [
                .. Hex.Bytes(confounder), .. Hex.Bytes("00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 11 12 13 14"),
                .. new byte[key.Profile.ChecksumLength],
            ];
            cipher.Seal(message);
            Hex.Text(message).ShouldBe(Hex.Text(Hex.Bytes(ciphertext)));
        }
    }

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal void A_message_opens(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        using var cipher = AuthenticatorCipher.Create(key, Usage, path);
        var plaintext = RandomNumberGenerator.GetBytes(163);
        key.Decrypt(Usage, Encrypt(cipher, plaintext)).ShouldBe(plaintext);
    }

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal async Task Threads_share_a_cipher(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        using var cipher = AuthenticatorCipher.Create(key, Usage, path);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                var plaintext = RandomNumberGenerator.GetBytes((thread * 31) + (i % 7));
                key.Decrypt(Usage, Encrypt(cipher, plaintext)).ShouldBe(plaintext);
            }
        })));
    }

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal void A_warm_cipher_allocates_nothing(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        using var cipher = AuthenticatorCipher.Create(key, Usage, path);
        var message = new byte[cipher.Overhead + 163];
        cipher.Seal(message);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 500; i++)
            cipher.Seal(message);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal void A_message_without_room_for_confounder_and_tag_is_refused(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        using var cipher = AuthenticatorCipher.Create(key, Usage, path);
        cipher.Overhead.ShouldBe(key.Profile.Overhead);
        Should.Throw<ArgumentOutOfRangeException>(() => cipher.Seal(new byte[cipher.Overhead - 1]));
        Should.Throw<ArgumentOutOfRangeException>(() => cipher.Seal(new byte[3]));
    }

    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal void A_cipher_ends_with_its_key_or_by_itself(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        var disposed = AuthenticatorCipher.Create(key, Usage, path);
        Encrypt(disposed, [1, 2, 3]);
        disposed.Dispose();
        Should.Throw<ObjectDisposedException>(() => Encrypt(disposed, [1, 2, 3]));

        using var orphan = AuthenticatorCipher.Create(key, Usage, path);
        Encrypt(orphan, [1, 2, 3]);
        key.Dispose();
        Should.Throw<ObjectDisposedException>(() => Encrypt(orphan, [1, 2, 3]));
    }

    /// <summary>At any moment, a message is either encrypted with the key or not returned.</summary>
    [Theory]
    [ClassData(typeof(CipherPaths))]
    internal async Task A_cipher_that_is_disposed_while_in_use_never_uses_zeros(EncryptionType type, CipherPath path)
    {
        SkipWhatThisProcessorCannot(path);
        using var key = KerberosKey.CreateRandom(type);
        for (int round = 0; round < 200; round++)
        {
            var cipher = AuthenticatorCipher.Create(key, Usage, path);
            using var begun = new ManualResetEventSlim();
            var disposing = Task.Run(() =>
            {
                begun.Wait(TestContext.Current.CancellationToken);
                cipher.Dispose();
            }, TestContext.Current.CancellationToken);
            Should.Throw<ObjectDisposedException>(() =>
            {
                while (true)
                {
                    var message = Encrypt(cipher, [4, 5, 6]);
                    begun.Set();
                    key.Decrypt(Usage, message).ShouldBe([4, 5, 6]);
                }
            });
            await disposing;
        }
    }

    [Fact]
    public void The_automatic_path_is_the_accelerated_one_if_the_processor_supports_it_and_is_always_resolved()
    {
        var chosen = CipherPathSelection.Resolve(CipherPath.Automatic);
        chosen.ShouldBeOneOf(CipherPath.Platform, CipherPath.Accelerated);
        CipherPathSelection.Resolve(CipherPath.Platform).ShouldBe(CipherPath.Platform);
        if (!CipherPathSelection.CanAccelerate)
        {
            chosen.ShouldBe(CipherPath.Platform);
            Should.Throw<PlatformNotSupportedException>(() => CipherPathSelection.Resolve(CipherPath.Accelerated));
        }
    }

    private static byte[] Encrypt(AuthenticatorCipher cipher, byte[] plaintext)
    {
        var message = new byte[cipher.Overhead + plaintext.Length];
        RandomNumberGenerator.Fill(message.AsSpan(0, EncryptionProfile.ConfounderLength));
        plaintext.CopyTo(message, EncryptionProfile.ConfounderLength);
        cipher.Seal(message);
        return message;
    }

    private static void SkipWhatThisProcessorCannot(CipherPath path) =>
        Assert.SkipUnless(CipherPaths.OfThisProcessor.Contains(path), "The processor has no AES instructions that the engine can use.");
}
