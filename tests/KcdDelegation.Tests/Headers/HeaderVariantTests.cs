using KcdDelegation.Headers;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;

namespace KcdDelegation.Tests.Headers;

/// <summary>Tests every kind of value with an acceptor that has the service's key. KcdDelegation.InteropTests does the
/// same with acceptors of other projects.</summary>
public sealed class HeaderVariantTests
{
    private static readonly byte[] Channel = [.. "tls-server-end-point:"u8, 1, 2, 3];

    public static MatrixTheoryData<EncryptionType, TokenFormat, MutualAuthentication, bool> Variants { get; } = new(
        [EncryptionType.Aes128CtsHmacSha1, EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha256,
            EncryptionType.Aes256CtsHmacSha384],
        [TokenFormat.Kerberos, TokenFormat.Spnego],
        [MutualAuthentication.Off, MutualAuthentication.Required],
        [false, true]);

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task A_service_accepts_every_variant_with_the_requested_options(
        EncryptionType type, TokenFormat format, MutualAuthentication mutual, bool bound)
    {
        await using var realm = TestRealm.Start().User("ada").Service("HTTP/app", encryptionTypes: [type]);
        var acceptor = new TestAcceptor(
            realm, "HTTP/app",
            new TestAcceptorOptions { ChannelBinding = bound ? TestChannelBinding.Required : TestChannelBinding.IfSent });
        var ticket = realm.IssueTicket("ada", "HTTP/app");
        ticket.SessionKeyType.ShouldBe(type);
        var credential = new DelegatedCredential(ticket, new AuthorizationTemplateCache(), mutual);
        var lengths = new HashSet<int>();
        for (var round = 0; round < 50; round++)
        {
            var value = credential.CreateAuthorization(format, bound ? Channel : default).ToString();
            lengths.Add(value.Length);
            var identity = acceptor.Accept(value, bound ? Channel : default);
            identity.User.ToString().ShouldBe("ada@CONTOSO.TEST");
            identity.Format.ShouldBe(format == TokenFormat.Spnego ? TestTokenFormats.Spnego : TestTokenFormats.Kerberos);
            identity.WantsMutualAuthentication.ShouldBe(mutual == MutualAuthentication.Required);
            identity.IsChannelBound.ShouldBe(bound);
        }
        lengths.Count.ShouldBe(1);
    }
}
