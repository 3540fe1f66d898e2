using KcdDelegation.Kerberos.Crypto;

namespace KcdDelegation.Kerberos.Tests.Crypto;

public sealed class AesKeyScheduleTests
{
    [Theory]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", 10, "a0fafe1788542cb123a339392a6c7605", "d014f9a8c9ee2589e13f0cc8b6630ca6")]
    [InlineData("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 14, "1f352c073b6108d72d9810a30914dff4",
        "fe4890d1e6188d0b046df344706c631e")]
    public void Expands_keys_as_in_FIPS_197_appendix_A_1_and_A_3(string key, int rounds, string second, string last)
    {
        Assert.SkipUnless(CipherPathSelection.CanAccelerate, "The processor has no AES instructions that the engine can use.");
        var keyBytes = Hex.Bytes(key);
        AesKeySchedule.Rounds(keyBytes.Length).ShouldBe(rounds);
        var roundKeys = new byte[AesKeySchedule.Length(keyBytes.Length)];
        AesKeySchedule.Expand(keyBytes, roundKeys);
        Hex.Text(roundKeys.AsSpan(0, keyBytes.Length)).ShouldBe(key);
        Hex.Text(roundKeys.AsSpan(16, 16)).ShouldBe(second);
        Hex.Text(roundKeys.AsSpan(^16..)).ShouldBe(last);
    }
}
