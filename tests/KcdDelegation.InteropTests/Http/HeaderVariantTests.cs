using System.Net;
using KcdDelegation.Kerberos;

namespace KcdDelegation.InteropTests;

/// <summary>Every kind of header on acceptors that are not ours: each type of session key, raw Kerberos and SPNEGO, with and without mutual
/// authentication, with and without channel binding; by MIT's GSSAPI (Apache without TLS, Python with) and Java's JGSS.</summary>
public sealed class HeaderVariantTests
{
    private static readonly Uri[] Acceptors =
    [
        LabRealm.Mit.Web("spnego/"), LabWeb.ReplayCache, LabWeb.Java,
        new(LabWeb.PythonTls, "cbreq"), new(LabWeb.JavaTls, "cb"),
    ];

    public static MatrixTheoryData<string, EncryptionType, TokenFormat, MutualAuthentication> Variants { get; } = new(
        Acceptors.Select(url => url.AbsoluteUri),
        [EncryptionType.Aes128CtsHmacSha1, EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha256,
            EncryptionType.Aes256CtsHmacSha384],
        [TokenFormat.Kerberos, TokenFormat.Spnego],
        [MutualAuthentication.Off, MutualAuthentication.Required]);

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task Acceptors_of_others_take_every_variant(
        string url, EncryptionType type, TokenFormat format, MutualAuthentication mutual)
    {
        Lab.Require("mit", "web", "acceptors");
        await using var application =
            new LabApplication(LabRealm.Mit, new Uri(url), ServiceAccount.FromPassword("svc-pw", Lab.Password), [type]);
        application.Settings = application.Settings with { TokenFormat = format, MutualAuthentication = mutual };
        using var client = application.CreateClient();

        // The first is made from scratch, the later ones from the template that is kept.
        for (var round = 0; round < 4; round++)
        {
            using var response = await application.GetAsync(client, "alice");
            response.GetKcdRefusal()?.Message.ShouldBeNull();
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("alice", Case.Insensitive);
        }
    }
}
