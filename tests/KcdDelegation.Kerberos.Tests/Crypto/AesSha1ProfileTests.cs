using System.Text;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class AesSha1ProfileTests
{
    private const string Key128 = "42263c6e89f4fc28b8df68ee09799f15";
    private const string Key256 = "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161";

    public static TheoryData<int, string, string, string, string> StringToKeyVectors => new()
    {
        { 1, "password", "ATHENA.MIT.EDUraeburn", Key128, Key256 },
        {
            2, "password", "ATHENA.MIT.EDUraeburn",
            "c651bf29e2300ac27fa469d693bdda13", "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff"
        },
        {
            1200, "password", "ATHENA.MIT.EDUraeburn",
            "4c01cd46d632d01e6dbe230a01ed642a", "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a"
        },
        {
            5, "password", "\x12\x34\x56\x78\x78\x56\x34\x12",
            "e9b23d52273747dd5c35cb55be619d8e", "97a4e786be20d81a382d5ebc96d5909cabcdadc87ca48f574504159f16c36e31"
        },
        {
            1200, new string('X', 64), "pass phrase equals block size",
            "59d1bb789a828b1aa54ef9c2883f69ed", "89adee3608db8bc71f1bfbfe459486b05618b70cbae22092534e56c553ba4b34"
        },
        {
            1200, new string('X', 65), "pass phrase exceeds block size",
            "cb8005dc5f90179a7f02104c0018751d", "d78c5c9cb872a8c9dad4697f0bb5b2d21496c82beb2caeda2112fceea057401b"
        },
        {
            50, "\U0001D11E", "EXAMPLE.COMpianist",
            "f149c1f2e154a73452d43e7fe62a56e5", "4b6d9839f84406df1f09cc166db4b83c571848b784a3d6bdc346589a3e393f9e"
        },
    };

    [Theory]
    [MemberData(nameof(StringToKeyVectors))]
    public void Derives_keys_from_passwords_as_in_RFC_3962_appendix_B(
        int iterations, string password, string salt, string key128, string key256)
    {
        using var derived128 = EncryptionProfile.Get(EncryptionType.Aes128CtsHmacSha1).DeriveFromPassword(password, salt, iterations);
        using var derived256 = EncryptionProfile.Get(EncryptionType.Aes256CtsHmacSha1).DeriveFromPassword(password, salt, iterations);
        Hex.Text(derived128.Bytes).ShouldBe(key128);
        Hex.Text(derived256.Bytes).ShouldBe(key256);
    }

    /// <summary>RFC 3961 appendix A.3 has only DES vectors. These are the vectors of MIT krb5 (t_derive).</summary>
    [Theory]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, Key128, KeyPurpose.Checksum, "34280a382bc92769b2da2f9ef066854b")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, Key128, KeyPurpose.Encryption, "5b14fc4e250e14ddf9dccf1af6674f53")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, Key128, KeyPurpose.Integrity, "4ed31063621684f09ae8d89991af3e8f")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, Key256, KeyPurpose.Checksum,
        "bfab388bdcb238e9f9c98d6a878304f04d30c82556375ac507a7a852790f4674")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, Key256, KeyPurpose.Encryption,
        "c7cfd9cd75fe793a586a542d87e0d1396f1134a104bb1a9190b8c90ada3ddf37")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, Key256, KeyPurpose.Integrity,
        "97151b4c76945063e2eb0529dc067d97d7bba90776d8126d91f34f3101aea8ba")]
    internal void Derives_the_keys_of_usage_2_as_MIT_krb5_does(EncryptionType type, string bytes, KeyPurpose purpose, string expected)
    {
        using var key = new KerberosKey(type, Hex.Bytes(bytes));
        Hex.Text(key.Derive(KeyUsage.Ticket, purpose).Span).ShouldBe(expected);
    }

    /// <summary>RFC 3962 has no complete ciphertext. These are the vectors of MIT krb5 (t_decrypt).</summary>
    [Theory]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 0, "5a5c0f0ba54f3828b2195e66ca24a289", "",
        "49ff8e11c173d9583a3254fbe7b1f1df36c538e8416784a1672e6676")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 1, "98450e3f3baa13f5c99beb936981b06f", "1",
        "f86742f537b35dc2174a4dbaa920faf9042090b065e1ebb1cad9a65394")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 2, "9062430c8cda3388922e6d6a509f5b7a", "9 bytesss",
        "68fb9679601f45c78857b2bf820fd6e53eca8d42fd4b1d7024a09205abb7cd2ec26c355d2f")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 3, "033ee6502c54fd23e27791e987983827", "13 bytes byte",
        "ec366d0327a933bf49330e650e49bc6b974637fe80bf532fe51795b4809718e6194724db948d1fd637")]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 4, "dceeb70b3de76562e689226c76429148", "30 bytes bytes bytes bytes byt",
        "c96081032d5d8eeb7e32b4089f789d0faa481dea74c0f97cbf3146ddfcf8e800156ecb532fc203e30ff600b63b350939fece510f02d7ff1e7bac")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 0, "17f275f2954f2ed1f90c377ba7f4d6a369aa0136e0bf0c927ad6133c693759a9", "",
        "e5094c55ee7b38262e2b044280b069379a95bf95bd8376fb3281b435")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 1, "b9477e1ff0329c0050e20ce6c72d2dff27e8fe541ab0954429a9cb5b4f7b1e2a", "1",
        "406150b97aeb76d43b36b62cc1ecdfbe6f40e95755e0beb5c27825f3a4")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 2, "b1ae4cd8462aff1677053cc9279aac30b796fb81ce21474dd3ddbcfea4ec76d7", "9 bytesss",
        "09957aa25fcaf88f7b39e4406e633012d5fea21853f6478da7065caef41fd454a40824eec5")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 3, "e5a72be9b7926c1225bafef9c1872e7ba4cdb2b17893d84abd90acdd8764d966", "13 bytes byte",
        "d8f1aafeec84587cc3e700a774e56651a6d693e174ec4473b5e6d96f80297a653fb818ad893e719f96")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 4, "f1c795e9248a09338d82c3f8d5b567040b0110736845041347235b1404231398",
        "30 bytes bytes bytes bytes byt",
        "d1137a4d634cfece924dbc3bf6790648bd5cff7de0e7b99460211d0daef3d79a295c688858f3b34b9cbd6eebae81daf6b734d4d498b6714f1c1d")]
    public void Decrypts_what_MIT_krb5_encrypted(EncryptionType type, int usage, string bytes, string plaintext, string ciphertext)
    {
        using var key = new KerberosKey(type, Hex.Bytes(bytes));
        Encoding.ASCII.GetString(key.Decrypt((KeyUsage)usage, Hex.Bytes(ciphertext))).ShouldBe(plaintext);
    }

    /// <summary>The vectors of MIT krb5 (t_cksums).</summary>
    [Theory]
    [InlineData(EncryptionType.Aes128CtsHmacSha1, 3, "9062430c8cda3388922e6d6a509f5b7a", "eight nine ten eleven twelve thirteen",
        "01a4b088d45628f6946614e3")]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 4, "b1ae4cd8462aff1677053cc9279aac30b796fb81ce21474dd3ddbcfea4ec76d7", "fourteen",
        "e08739e3279e2903ec8e3836")]
    public void Computes_the_checksums_of_MIT_krb5(EncryptionType type, int usage, string bytes, string data, string checksum)
    {
        using var key = new KerberosKey(type, Hex.Bytes(bytes));
        Hex.Text(key.Checksum((KeyUsage)usage, Encoding.ASCII.GetBytes(data))).ShouldBe(checksum);
    }
}
