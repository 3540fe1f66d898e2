using System.Buffers.Binary;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>The number of PBKDF2 rounds that a KDC may ask for.</summary>
public sealed class LogOnKeyTests
{
    [Theory]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 4096u)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 4097u)]
    [InlineData(EncryptionType.Aes128CtsHmacSha256, 32768u)]
    public void The_default_number_of_rounds_and_more_are_accepted(EncryptionType type, uint rounds) =>
        Choose(type, rounds).Key.Type.ShouldBe(type);

    [Theory]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 0u)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 1u)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, 4095u)]
    [InlineData(EncryptionType.Aes128CtsHmacSha256, 32767u)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, (1u << 24) + 1)]
    [InlineData(EncryptionType.Aes256CtsHmacSha1, uint.MaxValue)]
    public void Fewer_rounds_than_the_default_and_more_than_the_limit_are_rejected_before_the_key_is_derived(
        EncryptionType type, uint rounds) =>
        Should.Throw<KerberosException>(() => Choose(type, rounds)).Reason.ShouldBe(KerberosFailureReason.ReplyRejected);

    [Fact]
    public void A_KDC_that_names_only_types_that_were_not_offered_gets_no_key() =>
        Should.Throw<KerberosException>(() => LogOnKey.Choose(
            CreateContext(EncryptionType.Aes256CtsHmacSha1), [EncryptionType.Aes256CtsHmacSha1],
            [new EtypeInfo2Entry(EncryptionType.Rc4Hmac, "salt", null)])).Reason.ShouldBe(KerberosFailureReason.EncryptionTypeRefused);

    private static LogOnKey Choose(EncryptionType type, uint rounds)
    {
        var parameters = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(parameters, rounds);
        return LogOnKey.Choose(CreateContext(type), [type], [new EtypeInfo2Entry(type, "salt", parameters)]);
    }

    /// <summary>Only the account and the realm take part in the choice.</summary>
    private static ExchangeContext CreateContext(EncryptionType type) => new()
    {
        Realm = "CONTOSO.TEST", Account = ServiceAccount.FromPassword("svc", "secret"), EncryptionTypes = [type],
        MaxClockCorrection = default, Clock = null!, Dispatcher = null!, Limits = null!, Logger = null!,
    };
}
