using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class EncryptionProfileTests
{
    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void Every_length_from_0_to_100_is_decrypted_to_the_plaintext(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        for (int length = 0; length <= 100; length++)
        {
            var plaintext = RandomNumberGenerator.GetBytes(length);
            var ciphertext = key.Encrypt(KeyUsage.AsReply, plaintext);
            ciphertext.Length.ShouldBe(length + key.Profile.Overhead);
            key.Decrypt(KeyUsage.AsReply, ciphertext).ShouldBe(plaintext);
        }
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void Equal_plaintexts_have_different_ciphertexts(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        var plaintext = new byte[40];
        key.Encrypt(KeyUsage.AsReply, plaintext).ShouldNotBe(key.Encrypt(KeyUsage.AsReply, plaintext));
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_change_of_any_byte_is_rejected(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        foreach (int length in new[] { 0, 1, 15, 16, 17, 50 })
        {
            var ciphertext = key.Encrypt(KeyUsage.AsReply, RandomNumberGenerator.GetBytes(length));
            for (int i = 0; i < ciphertext.Length; i++)
            {
                ciphertext[i] ^= (byte)(1 << (i % 8));
                ShouldBeRefused(() => key.Decrypt(KeyUsage.AsReply, ciphertext), "integrity");
                ciphertext[i] ^= (byte)(1 << (i % 8));
            }
            key.Decrypt(KeyUsage.AsReply, ciphertext).Length.ShouldBe(length);
        }
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_ciphertext_truncated_at_any_length_is_rejected(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        var ciphertext = key.Encrypt(KeyUsage.AsReply, RandomNumberGenerator.GetBytes(60));
        for (int length = 0; length < ciphertext.Length; length++)
        {
            var cut = ciphertext[..length];
            ShouldBeRefused(() =>
                key.Decrypt(KeyUsage.AsReply, cut), length < key.Profile.Overhead ? $"requires at least {key.Profile.Overhead}"
                    : "integrity");
        }
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_ciphertext_of_another_key_or_usage_is_rejected(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        using var other = KerberosKey.CreateRandom(type);
        var ciphertext = key.Encrypt(KeyUsage.TgsReplySessionKey, new byte[40]);
        ShouldBeRefused(() => key.Decrypt(KeyUsage.TgsReplySubkey, ciphertext), "TgsReplySubkey");
        ShouldBeRefused(() => other.Decrypt(KeyUsage.TgsReplySessionKey, ciphertext), type.ToString());
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void A_checksum_is_valid_only_for_its_data_key_and_usage(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        using var other = KerberosKey.CreateRandom(type);
        var data = RandomNumberGenerator.GetBytes(300);
        var checksum = key.Checksum(KeyUsage.TgsRequestBodyChecksum, data);
        checksum.Length.ShouldBe(key.Profile.ChecksumLength);

        key.VerifyChecksum(KeyUsage.TgsRequestBodyChecksum, data, checksum).ShouldBeTrue();
        key.VerifyChecksum(KeyUsage.ApRequestChecksum, data, checksum).ShouldBeFalse();
        other.VerifyChecksum(KeyUsage.TgsRequestBodyChecksum, data, checksum).ShouldBeFalse();
        key.VerifyChecksum(KeyUsage.TgsRequestBodyChecksum, data.AsSpan(1), checksum).ShouldBeFalse();
        key.VerifyChecksum(KeyUsage.TgsRequestBodyChecksum, data, []).ShouldBeFalse();
        key.VerifyChecksum(KeyUsage.TgsRequestBodyChecksum, data, checksum.AsSpan(..^1)).ShouldBeFalse();
    }

    [Fact]
    public void RC4_is_rejected_by_name_with_the_remedy()
    {
        var error = Should.Throw<KerberosException>(() => EncryptionProfile.Get(EncryptionType.Rc4Hmac));
        error.Reason.ShouldBe(KerberosFailureReason.EncryptionTypeRefused);
        error.Code.ShouldBeNull();
        error.Detail.ShouldContain("rc4-hmac (23)");
        error.Detail.ShouldContain("msDS-SupportedEncryptionTypes");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(21)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(int.MaxValue)]
    public void Other_types_are_rejected_by_number(int number)
    {
        EncryptionProfile.TryGet((EncryptionType)number, out _).ShouldBeFalse();
        var error = Should.Throw<KerberosException>(() => new KerberosKey((EncryptionType)number, new byte[16]));
        error.Reason.ShouldBe(KerberosFailureReason.EncryptionTypeRefused);
        error.Detail.ShouldContain($"{number}");
    }

    [Theory]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 16, ChecksumType.HmacSha1Aes128, 12, 4096)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 32, ChecksumType.HmacSha1Aes256, 12, 4096)]
    [InlineData(EncryptionType.Aes128CtsHmacSha256, 16, ChecksumType.HmacSha256Aes128, 16, 32768)]
    [InlineData(EncryptionType.Aes256CtsHmacSha384, 32, ChecksumType.HmacSha384Aes256, 24, 32768)]
    internal void A_type_has_the_sizes_of_its_RFC(
        EncryptionType type, int keyLength, ChecksumType checksumType, int checksumLength, int iterations)
    {
        var profile = EncryptionProfile.Get(type);
        profile.Type.ShouldBe(type);
        profile.KeyLength.ShouldBe(keyLength);
        profile.ChecksumType.ShouldBe(checksumType);
        profile.ChecksumLength.ShouldBe(checksumLength);
        profile.DefaultIterations.ShouldBe(iterations);
    }

    private static void ShouldBeRefused(Func<byte[]> decrypt, string saying)
    {
        var error = Should.Throw<KerberosException>(() => decrypt());
        error.Reason.ShouldBe(KerberosFailureReason.ReplyRejected);
        error.Code.ShouldBeNull();
        error.IsTransient.ShouldBeFalse();
        error.Detail.ShouldContain(saying);
    }
}
