using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.AccountKeys;

public sealed class ManagedPasswordTests
{
    private const string Salt = "TEST.EXAMPLEhostgmsa.test.example";

    [Fact]
    public void Passwords_and_intervals_are_read()
    {
        var (current, previous) = (ManagedPasswordBlob.CreatePassword(), ManagedPasswordBlob.CreatePassword());
        using var read = ManagedPassword.Parse(ManagedPasswordBlob.Write(current, previous));
        read.HasPrevious.ShouldBeTrue();
        read.QueryInterval.ShouldBe(ManagedPasswordBlob.DefaultQueryInterval);
        read.UnchangedInterval.ShouldBe(ManagedPasswordBlob.DefaultUnchangedInterval);
        GetKey(read.Current).ShouldBe(GetKey(ManagedPasswordBlob.ToKeyText(current)));
        GetKey(read.Previous!).ShouldBe(GetKey(ManagedPasswordBlob.ToKeyText(previous)));
    }

    [Fact]
    public void A_blob_without_a_previous_password_is_read()
    {
        var current = ManagedPasswordBlob.CreatePassword();
        using var read = ManagedPassword.Parse(ManagedPasswordBlob.Write(current));
        read.HasPrevious.ShouldBeFalse();
        GetKey(read.Current).ShouldBe(GetKey(ManagedPasswordBlob.ToKeyText(current)));
    }

    [Fact]
    public void A_shorter_password_ends_at_its_null_character()
    {
        using var read = ManagedPassword.Parse(ManagedPasswordBlob.Write("short", "older"));
        GetKey(read.Current).ShouldBe(GetKey("short"));
        GetKey(read.Previous!).ShouldBe(GetKey("older"));
    }

    /// <summary>The conversion before the key is derived: UTF-16 code units and the UTF-8 bytes that the key is derived from. An attribute
    /// cannot hold an unpaired surrogate as text.</summary>
    [Theory]
    [InlineData("0041 0000 0042", "41 01 42")]
    [InlineData("0000", "01")]
    [InlineData("D800", "EF BF BD")]
    [InlineData("DC00 0078", "EF BF BD 78")]
    [InlineData("D800 D800 DC00", "EF BF BD F0 90 80 80")]
    [InlineData("D83D DE00", "F0 9F 98 80")]
    [InlineData("DFFF D800 0000", "EF BF BD EF BF BD 01")]
    [InlineData("FFFE FFFF", "EF BF BE EF BF BF")]
    public void Null_characters_and_unpaired_surrogates_are_replaced(string units, string utf8)
    {
        var part = string.Concat(units.Split(' ').Select(unit => (char)ushort.Parse(unit, NumberStyles.HexNumber, null)));
        var rest = 128 - part.Length;
        using var read = ManagedPassword.Parse(ManagedPasswordBlob.Write(part + new string('p', rest)));
        byte[] expected = [.. utf8.Split(' ').Select(unit => Convert.ToByte(unit, 16)), .. Enumerable.Repeat((byte)'p', rest)];
        GetKey(read.Current).ShouldBe(Convert.ToHexString(DeriveAes256(expected)));
    }

    /// <summary>The keys that Samba 4.22 exported for an account with this password: A, U+0000, two unpaired surrogates, a pair, and
    /// letters.</summary>
    [Theory]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, "8bd0be4888cd10504f20fc02c5bf6542685e984860b71ef6c54bc43931874b19")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, "7c44df0b70c562a8ffe778ff7879667e")]
    public void The_key_is_the_one_that_a_domain_controller_derives(EncryptionType type, string key)
    {
        char[] start = ['A', '\0', '\uD800', 'B', '\uDC00', '\uD83D', '\uDE00'];
        var password = new string([.. start, .. Enumerable.Range(0, 121).Select(i => (char)('p' + (i % 8)))]);
        using var read = ManagedPassword.Parse(ManagedPasswordBlob.Write(password));
        Convert.ToHexStringLower(read.Current.DeriveLogOnKey("AD22.TEST", type, "AD22.TESTgmsatest", 4096).Bytes).ShouldBe(key);
    }

    [Fact]
    public void A_blob_that_is_cut_anywhere_is_refused()
    {
        var blob = ManagedPasswordBlob.Write(ManagedPasswordBlob.CreatePassword(), ManagedPasswordBlob.CreatePassword());
        for (var length = 0; length < blob.Length; length++)
        {
            var cut = blob[..length];
            Should.Throw<FormatException>(() => ManagedPassword.Parse(cut));
            if (length < 8)
                continue;
            BinaryPrimitives.WriteInt32LittleEndian(cut.AsSpan(4), length);
            Should.Throw<FormatException>(() => ManagedPassword.Parse(cut));
        }
    }

    [Theory]
    [InlineData(0, 2, "version 2")]
    [InlineData(4, 1, "states 1 bytes")]
    [InlineData(8, 15, "fields outside")]
    [InlineData(8, 0xFFFF, "fields outside")]
    [InlineData(10, 16, "fields outside")]
    [InlineData(10, 0xFFF0, "fields outside")]
    [InlineData(12, 16, "fields outside")]
    [InlineData(12, 0xFFFF, "fields outside")]
    [InlineData(14, 16, "fields outside")]
    [InlineData(14, 0xFFFF, "fields outside")]
    public void Contradictory_fields_are_refused_without_a_byte_of_the_password(int offset, int value, string reason)
    {
        var blob = ManagedPasswordBlob.Write("Secret-Password-Of-An-Account", "Older-Password-Of-An-Account");
        BinaryPrimitives.WriteUInt16LittleEndian(blob.AsSpan(offset), (ushort)value);
        var message = Should.Throw<FormatException>(() => ManagedPassword.Parse(blob)).Message;
        message.ShouldContain(reason);
        message.ShouldNotContain("Secret");
    }

    [Fact]
    public void Random_bytes_are_read_or_refused()
    {
        for (var round = 0; round < 20_000; round++)
        {
            var blob = ManagedPasswordBlob.Write("password", "previous");
            for (var change = RandomNumberGenerator.GetInt32(1, 6); change > 0; change--)
                blob[RandomNumberGenerator.GetInt32(blob.Length)] = (byte)RandomNumberGenerator.GetInt32(256);
            try
            {
                ManagedPassword.Parse(blob).Dispose();
            }
            catch (FormatException)
            {
                // The only exception that Parse may throw for bytes.
            }
        }
    }

    [Fact]
    public void Negative_intervals_and_empty_passwords_are_refused()
    {
        Should.Throw<FormatException>(() => ManagedPassword.Parse(ManagedPasswordBlob.Write("p", query: TimeSpan.FromTicks(-1))))
            .Message.ShouldContain("negative");
        Should.Throw<FormatException>(() => ManagedPassword.Parse(ManagedPasswordBlob.Write(""))).Message.ShouldContain("empty");
    }

    [Fact]
    public void A_disposed_password_derives_nothing()
    {
        var read = ManagedPassword.Parse(ManagedPasswordBlob.Write("password"));
        read.Dispose();
        Should.Throw<ObjectDisposedException>(() => GetKey(read.Current));
        read.ToString().ShouldNotContain("password,p");
    }

    private static string GetKey(KcdDelegation.Kerberos.AccountKeys.Password password) => Convert.ToHexString(
        password.DeriveLogOnKey("TEST.EXAMPLE", EncryptionType.Aes256CtsHmacSha1, Salt, 4096).Bytes);

    private static string GetKey(string text)
    {
        var profile = EncryptionProfile.Get(EncryptionType.Aes256CtsHmacSha1);
        using var key = profile.DeriveFromPassword(text, Salt, 4096);
        return Convert.ToHexString(key.Bytes);
    }

    /// <summary>RFC 3962 §4 over the bytes of a password: PBKDF2, then DK(tkey, "kerberos").</summary>
    private static byte[] DeriveAes256(byte[] password)
    {
        var salt = System.Text.Encoding.UTF8.GetBytes(Salt);
        var tkey = Rfc2898DeriveBytes.Pbkdf2(
            password, salt, 4096, HashAlgorithmName.SHA1, 32);
        var chain = new byte[32];
        NFold.Fold("kerberos"u8, chain.AsSpan(0, 16));
        using var aes = Aes.Create();
        aes.Key = tkey;
        return aes.EncryptCbc(chain, new byte[16], PaddingMode.None);
    }
}
