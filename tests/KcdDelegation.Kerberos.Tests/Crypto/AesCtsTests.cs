using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class AesCtsTests
{
    /// <summary>"chicken teriyaki"</summary>
    private const string Key = "63 68 69 63 6b 65 6e 20 74 65 72 69 79 61 6b 69";

    private const string Text =
        "49 20 77 6f 75 6c 64 20 6c 69 6b 65 20 74 68 65 20 47 65 6e 65 72 61 6c 20 47 61 75 27 73 20 43 "
        + "68 69 63 6b 65 6e 2c 20 70 6c 65 61 73 65 2c 20 61 6e 64 20 77 6f 6e 74 6f 6e 20 73 6f 75 70 2e";

    [Theory]
    [InlineData(17, "c6 35 35 68 f2 bf 8c b4 d8 a5 80 36 2d a7 ff 7f 97")]
    [InlineData(31, "fc 00 78 3e 0e fd b2 c1 d4 45 d4 c8 ef f7 ed 22 97 68 72 68 d6 ec cc c0 c0 7b 25 e2 5e cf e5")]
    [InlineData(32, "39 31 25 23 a7 86 62 d5 be 7f cb cc 98 eb f5 a8 97 68 72 68 d6 ec cc c0 c0 7b 25 e2 5e cf e5 84")]
    [InlineData(47, "97 68 72 68 d6 ec cc c0 c0 7b 25 e2 5e cf e5 84 b3 ff fd 94 0c 16 a1 8c 1b 55 49 d2 f8 38 02 9e 39 31 25 23 a7 86 "
        + "62 d5 be 7f cb cc 98 eb f5")]
    [InlineData(48, "97 68 72 68 d6 ec cc c0 c0 7b 25 e2 5e cf e5 84 9d ad 8b bb 96 c4 cd c0 3b c1 03 e1 a1 94 bb d8 39 31 25 23 a7 86 "
        + "62 d5 be 7f cb cc 98 eb f5 a8")]
    [InlineData(64, "97 68 72 68 d6 ec cc c0 c0 7b 25 e2 5e cf e5 84 39 31 25 23 a7 86 62 d5 be 7f cb cc 98 eb f5 a8 48 07 ef e8 36 ee "
        + "89 a5 26 73 0d bc 2f 7b c8 40 9d ad 8b bb 96 c4 cd c0 3b c1 03 e1 a1 94 bb d8")]
    public void Encrypts_and_decrypts_as_in_RFC_3962_appendix_B(int length, string ciphertext)
    {
        var text = Hex.Bytes(Text)[..length];
        using var key = new PinnedSecret(Hex.Bytes(Key));

        var message = text.ToArray();
        AesCts.Encrypt(key, message);
        Hex.Text(message).ShouldBe(Hex.Text(Hex.Bytes(ciphertext)));

        var decrypted = new byte[length];
        AesCts.Decrypt(key, message, decrypted);
        Hex.Text(decrypted).ShouldBe(Hex.Text(text));
    }

    /// <summary>RFC 3962 §5: "... if the data to be encrypted is just one block long [...] no ciphertext stealing". The expected blocks
    /// are those of FIPS 197 appendix C.1 and C.3.</summary>
    [Theory]
    [InlineData("000102030405060708090a0b0c0d0e0f", "69c4e0d86a7b0430d8cdb78070b4c55a")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "8ea2b7ca516745bfeafc49904b496089")]
    public void One_block_is_plain_AES(string keyBytes, string ciphertext)
    {
        using var key = new PinnedSecret(Hex.Bytes(keyBytes));
        var message = Hex.Bytes("00112233445566778899aabbccddeeff");
        AesCts.Encrypt(key, message);
        Hex.Text(message).ShouldBe(ciphertext);
    }
}
