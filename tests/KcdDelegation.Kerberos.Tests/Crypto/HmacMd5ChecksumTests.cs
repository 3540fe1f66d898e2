using System.Security.Cryptography;
using System.Text;
using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class HmacMd5ChecksumTests
{
    /// <summary>A vector of MIT krb5 (t_cksums). The checksum depends on the bytes of the key, not on its type.</summary>
    [Fact]
    public void Computes_the_checksum_of_MIT_krb5()
    {
        using var key = new KerberosKey(EncryptionType.Aes128CtsHmacSha1, Hex.Bytes("f7d3a155af5e238a0b7a871a96ba2ab2"));
        var checksum = HmacMd5Checksum.Compute(key, KeyUsage.TgsRequestBodyChecksum, "seventeen eighteen nineteen twenty"u8);
        Hex.Text(checksum).ShouldBe("eb38cc97e2230f59da4117dc5859d7ec");
    }

    [Theory]
    [ClassData(typeof(ImplementedTypes))]
    public void Composes_HMAC_and_MD5_as_in_RFC_4757_section_4_under_a_key_of_any_type(EncryptionType type)
    {
        using var key = KerberosKey.CreateRandom(type);
        var data = Encoding.UTF8.GetBytes("ada@contoso.comCONTOSO.COMKerberos");
        byte[] hashed = [17, 0, 0, 0, .. data];

        using var signing = new HMACMD5(key.Bytes.ToArray());
        using var final = new HMACMD5(signing.ComputeHash(Encoding.ASCII.GetBytes("signaturekey\0")));
        var expected = final.ComputeHash(MD5.HashData(hashed));

        HmacMd5Checksum.Compute(key, KeyUsage.PaForUser, data).ShouldBe(expected);
        HmacMd5Checksum.Compute(key, KeyUsage.TgsRequestBodyChecksum, data).ShouldNotBe(expected);
    }
}
