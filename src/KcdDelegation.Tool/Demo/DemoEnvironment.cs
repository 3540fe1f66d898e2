using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tool.Demo;

/// <summary>The parts of one delegated request on loopback: token issuer, realm with its KDC, backend that accepts Kerberos only, and the
/// library configured as a gateway.</summary>
internal sealed class DemoEnvironment : IAsyncDisposable
{
    public const string Application = "intranet";
    public const string Service = "HTTP/intranet.contoso.test";
    public const string GatewayAccount = "GATEWAY$";
    public const string IdentityClaim = "onprem_sam_account_name";

    private readonly DirectoryInfo _folder;

    private DemoEnvironment(DirectoryInfo folder, TestRealm realm, TestIssuer issuer, TestBackend backend, DelegationClient client)
    {
        (_folder, Realm, Issuer, Backend, Delegation) = (folder, realm, issuer, backend, client);
        DelegatedClient = new HttpClient(new KcdHandler(client, Application, CreateHandler)) { BaseAddress = backend.Url };
        AnonymousClient = new HttpClient(CreateHandler()) { BaseAddress = backend.Url };
    }

    public TestRealm Realm { get; }

    public TestIssuer Issuer { get; }

    public TestBackend Backend { get; }

    public DelegationClient Delegation { get; }

    /// <summary>Gets the client that sends each request as its caller.</summary>
    public HttpClient DelegatedClient { get; }

    /// <summary>Gets the client that sends requests without authentication.</summary>
    public HttpClient AnonymousClient { get; }

    public static async Task<DemoEnvironment> StartAsync(ILoggerFactory log, CancellationToken cancellationToken)
    {
        var realm = TestRealm.Start()
            .User("ada", userPrincipalName: "ada.lovelace@contoso.test")
            .User("grace", userPrincipalName: "grace.hopper@contoso.test", sensitive: true)
            .Account(GatewayAccount, mayDelegateTo: [Service])
            .Service(Service);
        var issuer = await TestIssuer.StartAsync(cancellationToken: cancellationToken);
        var backendOptions = new TestBackendOptions { Https = true, Application = GreetAsync };
        var backend = await TestBackend.StartAsync(realm, Service, backendOptions, cancellationToken);
        var folder = Directory.CreateTempSubdirectory("kcd-demo-");
        try
        {
            var keytab = Path.Combine(folder.FullName, "gateway.keytab");
            await realm.WriteKeytabAsync(GatewayAccount, keytab, cancellationToken);
            var client = DelegationClient.Create(CreateOptions(realm, issuer, backend, keytab), log);
            return new DemoEnvironment(folder, realm, issuer, backend, client);
        }
        catch
        {
            folder.Delete(recursive: true);
            throw;
        }
    }

    /// <summary>Creates the token that the issuer gives a user at sign-in.</summary>
    public string SignIn(string userPrincipalName, string accountName) =>
        Issuer.CreateToken(userPrincipalName, new Dictionary<string, object?>(StringComparer.Ordinal) { [IdentityClaim] = accountName });

    public async ValueTask DisposeAsync()
    {
        DelegatedClient.Dispose();
        AnonymousClient.Dispose();
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

    /// <summary>Creates a handler that trusts the certificate of the backend and no other.</summary>
    private SocketsHttpHandler CreateHandler() => new()
    {
        SslOptions =
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is X509Certificate2 sent && sent.RawDataMemory.Span.SequenceEqual(Backend.Certificate!.RawDataMemory.Span),
        },
    };

    private static Task GreetAsync(HttpContext context)
    {
        var user = context.Features.Get<AcceptedIdentity>()!;
        return context.Response.WriteAsync($"Hello, {user.User}!");
    }
}
