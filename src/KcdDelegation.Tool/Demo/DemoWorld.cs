using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Demo;

/// <summary>All that one delegated request needs, on loopback: a token issuer, a realm with its KDC, a backend that takes Kerberos only, and
/// the library between them, set up as a gateway would be.</summary>
internal sealed class DemoWorld : IAsyncDisposable
{
    public const string Application = "intranet";
    public const string Service = "HTTP/intranet.contoso.test";
    public const string GatewayAccount = "GATEWAY$";
    public const string IdentityClaim = "onprem_sam_account_name";

    private readonly DirectoryInfo _folder;

    private DemoWorld(DirectoryInfo folder, TestRealm realm, TestIssuer issuer, TestBackend backend, DelegationClient client)
    {
        (_folder, Realm, Issuer, Backend, Delegation) = (folder, realm, issuer, backend, client);
        Client = new HttpClient(new KcdHandler(client, Application, CreateHandler)) { BaseAddress = backend.Url };
        Stranger = new HttpClient(CreateHandler()) { BaseAddress = backend.Url };
    }

    public TestRealm Realm { get; }

    public TestIssuer Issuer { get; }

    public TestBackend Backend { get; }

    public DelegationClient Delegation { get; }

    /// <summary>Sends requests as their callers.</summary>
    public HttpClient Client { get; }

    /// <summary>Sends requests as nobody.</summary>
    public HttpClient Stranger { get; }

    public static async Task<DemoWorld> StartAsync(ILoggerFactory log, CancellationToken cancellationToken)
    {
        var realm = TestRealm.Start()
            .User("ada", userPrincipalName: "ada.lovelace@contoso.test")
            .User("grace", userPrincipalName: "grace.hopper@contoso.test", sensitive: true)
            .Account(GatewayAccount, mayDelegateTo: [Service])
            .Service(Service);
        var issuer = await TestIssuer.StartAsync(cancellationToken: cancellationToken);
        var backend = await TestBackend.StartAsync(realm, Service, new TestBackendOptions { Https = true, Application = GreetAsync }, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("kcd-demo-");
        try
        {
            var keytab = Path.Combine(folder.FullName, "gateway.keytab");
            await realm.WriteKeytabAsync(GatewayAccount, keytab, cancellationToken);
            return new DemoWorld(folder, realm, issuer, backend, DelegationClient.Create(CreateOptions(realm, issuer, backend, keytab), log));
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>What the issuer gives a user who signs in.</summary>
    public string SignIn(string userPrincipalName, string accountName) =>
        Issuer.CreateToken(userPrincipalName, new Dictionary<string, object?>(StringComparer.Ordinal) { [IdentityClaim] = accountName });

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Stranger.Dispose();
        await Delegation.DisposeAsync();
        await Backend.DisposeAsync();
        await Issuer.DisposeAsync();
        await Realm.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static KcdOptions CreateOptions(TestRealm realm, TestIssuer issuer, TestBackend backend, string keytab) => new()
    {
        Realm = realm.Name,
        ServiceAccount = { Name = GatewayAccount, Keytab = keytab },
        Kdcs = { realm.Endpoint.ToString() },
        Token = { Authority = issuer.Authority, Audience = TestIssuer.DefaultAudience, TenantId = issuer.TenantId },
        Applications =
        {
            [Application] = new DelegatedApplication
            {
                InternalUrl = backend.Url,
                ServicePrincipalName = Service,
                LoginIdentity = LoginIdentity.OnPremisesSamAccountName,
                TokenFormat = TokenFormat.Spnego,
                MutualAuthentication = MutualAuthentication.Required,
            },
        },
    };

    /// <summary>Trusts the backend's certificate and no other.</summary>
    private SocketsHttpHandler CreateHandler() => new()
    {
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 sent && sent.RawDataMemory.Span.SequenceEqual(Backend.Certificate!.RawDataMemory.Span) },
    };

    private static Task GreetAsync(HttpContext context)
    {
        var user = context.Features.Get<AcceptedIdentity>()!;
        return context.Response.WriteAsync($"Hello, {user.User}!");
    }
}
