using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Tests;

/// <summary>A gateway in this process, with its file of settings, a realm, an identity provider and backends.</summary>
/// <remarks>Its applications are <c>https://erp.contoso.test/</c> with delegation, and <c>https://wiki.contoso.test/</c> without.</remarks>
internal sealed class TestGateway : IAsyncDisposable
{
    public const string Erp = "HTTP/erp.contoso.test";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-gateway-");
    private readonly List<HttpClient> _clients = [];
    private WebApplication? _app;

    private TestGateway(TestRealm realm, TestIssuer issuer, TestBackend backend, RecordingBackend wiki)
    {
        (Realm, Issuer, Backend, Wiki) = (realm, issuer, backend, wiki);
        Settings = CreateSettings();
    }

    public TestRealm Realm { get; }

    public TestIssuer Issuer { get; }

    /// <summary>Gets the application with delegation.</summary>
    public TestBackend Backend { get; }

    /// <summary>Gets the application without delegation.</summary>
    public RecordingBackend Wiki { get; }

    /// <summary>Gets the settings, which <see cref="WriteSettings"/> writes to the file.</summary>
    public JsonObject Settings { get; }

    public LogRecorder Log { get; } = new();

    public string SettingsPath => Path.Combine(_folder.FullName, "gateway.json");

    public string CertificatePath => Path.Combine(_folder.FullName, "tls.pem");

    public string KeyPath => Path.Combine(_folder.FullName, "tls.key");

    public IServiceProvider Services => _app!.Services;

    public int Port => new Uri(_app!.Urls.First()).Port;

    /// <summary>Creates the parts. The gateway starts with <see cref="StartAsync"/>, after the test has changed the settings.</summary>
    /// <param name="backend">The answers of the application with delegation; null: the user's name.</param>
    /// <param name="wiki">The answers of the application without delegation; null: a text.</param>
    public static async Task<TestGateway> CreateAsync(TestBackendOptions? backend = null, RequestDelegate? wiki = null)
    {
        var realm = TestRealm.Start().User("ada").User("bob").Account("gateway", mayDelegateTo: [Erp]).Service(Erp);
        var gateway = new TestGateway(
            realm, await TestIssuer.StartAsync(), await TestBackend.StartAsync(realm, Erp, backend),
            await RecordingBackend.StartAsync(wiki));
        await realm.WriteKeytabAsync("gateway", gateway.KeytabPath);
        gateway.WriteCertificate("CN=first");
        return gateway;
    }

    /// <summary>Creates and starts a gateway with changed settings.</summary>
    public static async Task<TestGateway> StartAsync(
        Action<JsonObject>? change = null, TestBackendOptions? backend = null, RequestDelegate? wiki = null)
    {
        var gateway = await CreateAsync(backend, wiki);
        change?.Invoke(gateway.Settings);
        await gateway.StartAsync();
        return gateway;
    }

    public async Task StartAsync(Action<WebApplicationBuilder>? configure = null)
    {
        WriteSettings();
        var file = new GatewaySettingsFile(SettingsPath);
        _app = GatewayHost.Create(file, file.Read(), builder =>
        {
            builder.Logging.AddProvider(Log);
            configure?.Invoke(builder);
        });
        await _app.StartAsync(TestContext.Current.CancellationToken);
    }

    public Task StopAsync() => _app!.StopAsync(TestContext.Current.CancellationToken);

    public void WriteSettings() => File.WriteAllText(SettingsPath, Settings.ToJsonString());

    /// <summary>Replaces the file of settings, and lets the gateway look at it now.</summary>
    /// <returns>Whether the settings were applied.</returns>
    public bool Reload()
    {
        WriteSettings();
        return Services.GetRequiredService<GatewaySettingsStore>().Reload();
    }

    /// <summary>Replaces the certificate of the listener.</summary>
    public void WriteCertificate(string subject, params string[] hosts) => WriteCertificate(subject, -1, 1, hosts);

    /// <summary>Replaces the certificate of the listener by one that is valid from one day to another, counted from now.</summary>
    public void WriteCertificate(string subject, int start, int end, params string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Length > 0 ? hosts : ["*.contoso.test"])
            names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(start), now.AddDays(end));
        File.WriteAllText(CertificatePath, certificate.ExportCertificatePem());
        File.WriteAllText(KeyPath, key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>Creates a client that reaches the gateway under every host, and does not follow redirects.</summary>
    /// <param name="port">The port of the gateway; null: that of its first address.</param>
    public HttpClient CreateClient(int? port = null)
    {
        var target = port ?? Port;
        var client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(IPAddress.Loopback, target, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = { RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null },
        });
        _clients.Add(client);
        return client;
    }

    /// <summary>Opens a connection to the gateway for requests that no HTTP client sends.</summary>
    /// <param name="host">The host of the handshake.</param>
    /// <param name="protocols">The protocols that the client offers (ALPN).</param>
    public async Task<SslStream> ConnectAsync(string host = "erp.contoso.test", params SslApplicationProtocol[] protocols)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
        var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false,
            static (_, certificate, _, _) => certificate is not null);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = host, ApplicationProtocols = [.. protocols] },
            TestContext.Current.CancellationToken);
        return stream;
    }

    /// <summary>Sends a request as a user; null for none.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string? user, string url = "https://erp.contoso.test/", Action<HttpRequestMessage>? change = null,
        IReadOnlyDictionary<string, object?>? claims = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (user is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Issuer.CreateToken($"{user}@contoso.test", claims));
        change?.Invoke(request);
        var response = await CreateClient().SendAsync(request, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldNotBe(
            HttpStatusCode.InternalServerError, string.Join('\n', Log.Records.Where(record => record.Level >= LogLevel.Error)));
        return response;
    }

    public async Task<(HttpStatusCode Status, string Body)> GetAsync(
        string? user, string url = "https://erp.contoso.test/", Action<HttpRequestMessage>? change = null,
        IReadOnlyDictionary<string, object?>? claims = null)
    {
        using var response = await SendAsync(user, url, change, claims);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            using var now = new CancellationTokenSource();
            await now.CancelAsync();
            await _app.StopAsync(now.Token);
            await _app.DisposeAsync();
        }
        foreach (var client in _clients)
            client.Dispose();
        await Backend.DisposeAsync();
        await Wiki.DisposeAsync();
        await Issuer.DisposeAsync();
        await Realm.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private string KeytabPath => Path.Combine(_folder.FullName, "gateway.keytab");

    private JsonObject CreateSettings() => new()
    {
        ["Listener"] = new JsonObject
        {
            ["Urls"] = new JsonArray("https://127.0.0.1:0"),
            ["Certificates"] = new JsonArray(new JsonObject { ["Certificate"] = CertificatePath, ["Key"] = KeyPath }),
            ["Limits"] = new JsonObject { ["DrainDelay"] = "00:00:00" },
        },
        ["IdentityProviders"] = new JsonObject
        {
            ["test"] = new JsonObject
            {
                ["Token"] = new JsonObject
                {
                    ["Authority"] = Issuer.Authority, ["Audience"] = TestIssuer.DefaultAudience, ["TenantId"] = Issuer.TenantId,
                },
            },
        },
        ["Kcd"] = new JsonObject
        {
            [nameof(Realm)] = Realm.Name,
            ["Kdcs"] = new JsonArray(Realm.Endpoint.ToString()),
            ["ServiceAccount"] = new JsonObject { ["Name"] = "gateway", ["Keytab"] = KeytabPath },
            ["Applications"] = new JsonObject
            {
                ["erp"] = new JsonObject
                {
                    ["InternalUrl"] = Backend.Url.AbsoluteUri,
                    ["ServicePrincipalName"] = Erp,
                    ["LoginIdentity"] = "UserPrincipalUsername",
                    ["AllowPlainHttp"] = true,
                },
            },
        },
        ["Applications"] = new JsonObject
        {
            ["erp"] = new JsonObject { ["ExternalUrl"] = "https://erp.contoso.test/" },
            ["wiki"] = new JsonObject
            {
                ["ExternalUrl"] = "https://wiki.contoso.test/",
                ["Delegation"] = "None",
                ["InternalUrls"] = new JsonArray(Wiki.Url.AbsoluteUri),
            },
        },
    };
}
