using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using KcdDelegation.Testing;

namespace KcdDelegation.Samples.GatewayDemo;

/// <summary>What surrounds a gateway: a directory with its KDC, an identity provider, an application, and the file of settings. All of it
/// runs in this process, on loopback.</summary>
internal sealed class DemoEnvironment : IAsyncDisposable
{
    private const string Account = "GATEWAY$";
    private const string Service = "HTTP/erp.contoso.test";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-gateway-demo-");

    // Cookies of one host are sent to all of its ports. The gateway and the provider therefore have different hosts.
    private readonly Uri _gateway;
    private readonly Uri _probe;
    private readonly TestRealm _realm;
    private TestBackend? _backend;
    private IdentityProvider? _provider;

    private DemoEnvironment(int gatewayPort)
    {
        _gateway = new UriBuilder(Uri.UriSchemeHttp, "localhost", gatewayPort).Uri;
        _probe = new UriBuilder(Uri.UriSchemeHttp, "127.0.0.1", gatewayPort, "/health/live").Uri;
        _realm = TestRealm.Start("CONTOSO.TEST").Account(Account, mayDelegateTo: [Service]).Service(Service);
        foreach (var user in IdentityProvider.Users)
            _realm.User(user);
    }

    /// <summary>Gets the path of the settings of the gateway.</summary>
    public string SettingsPath => Path.Combine(_folder.FullName, "gateway.json");

    public static async Task<DemoEnvironment> StartAsync(CancellationToken cancellationToken)
    {
        var environment = new DemoEnvironment(FindPort(8080));
        try
        {
            await environment.StartPartsAsync(cancellationToken);
            return environment;
        }
        catch
        {
            await environment.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the gateway listens.</summary>
    public async Task WaitForGatewayAsync(CancellationToken cancellationToken)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(_probe, cancellationToken);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }

    /// <summary>Returns what to do now.</summary>
    public string Describe() => $"""

        Open {_gateway} in a browser.
        Sign in as {string.Join(" or ", IdentityProvider.Users)}. No password is required. Use a private window for the second user.

        gateway            {_gateway} (settings: {SettingsPath})
        identity provider  {_provider!.Address}
        application        {_backend!.Url} (answers 401 without a Kerberos ticket)
        KDC                {_realm.Endpoint} (realm {_realm.Name})

        Press Ctrl+C to end.
        """;

    public async ValueTask DisposeAsync()
    {
        if (_provider is not null)
            await _provider.DisposeAsync();
        if (_backend is not null)
            await _backend.DisposeAsync();
        await _realm.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private async Task StartPartsAsync(CancellationToken cancellationToken)
    {
        var secret = RandomNumberGenerator.GetHexString(32);
        await File.WriteAllTextAsync(SecretPath, secret, cancellationToken);
        await _realm.WriteKeytabAsync(Account, KeytabPath, cancellationToken);
        var application = new DemoApplication(_realm);
        _backend = await TestBackend.StartAsync(
            _realm, Service, new TestBackendOptions { Application = application.AnswerAsync }, cancellationToken);
        _provider = await IdentityProvider.StartAsync(FindPort(8081), _gateway, secret, cancellationToken);
        var settings = CreateSettings().ToJsonString(new JsonSerializerOptions { WriteIndented = true });
        await File.WriteAllTextAsync(SettingsPath, settings, cancellationToken);
    }

    private string SecretPath => Path.Combine(_folder.FullName, "client-secret");

    private string KeytabPath => Path.Combine(_folder.FullName, "gateway.keytab");

    private JsonObject CreateSettings() => new()
    {
        ["Listener"] = new JsonObject
        {
            ["Urls"] = new JsonArray(_gateway.GetLeftPart(UriPartial.Authority)),
            // No load balancer has to notice the end.
            ["Limits"] = new JsonObject { ["DrainDelay"] = "00:00:00", ["DrainTimeout"] = "00:00:02" },
        },
        ["State"] = Path.Combine(_folder.FullName, "state"),
        ["IdentityProviders"] = new JsonObject
        {
            ["demo"] = new JsonObject
            {
                ["Token"] = new JsonObject { ["Authority"] = _provider!.Address.AbsoluteUri, ["ClientId"] = IdentityProvider.ClientId },
                ["SignIn"] = new JsonObject
                {
                    ["ClientSecretFile"] = SecretPath, ["Scopes"] = new JsonArray("profile", "offline_access"),
                },
            },
        },
        ["Kcd"] = new JsonObject
        {
            ["Realm"] = _realm.Name,
            ["Kdcs"] = new JsonArray(_realm.Endpoint.ToString()),
            ["ServiceAccount"] = new JsonObject { ["Name"] = Account, ["Keytab"] = KeytabPath },
            ["Applications"] = new JsonObject
            {
                ["erp"] = new JsonObject
                {
                    ["InternalUrl"] = _backend!.Url.AbsoluteUri,
                    ["ServicePrincipalName"] = Service,
                    ["LoginIdentity"] = "UserPrincipalUsername",
                    // The application is on this machine. Never set it for one on the network.
                    ["AllowPlainHttp"] = true,
                },
            },
        },
        ["Applications"] = new JsonObject { ["erp"] = new JsonObject { ["ExternalUrl"] = _gateway.AbsoluteUri } },
    };

    /// <summary>Returns a port if it is free, otherwise another one.</summary>
    private static int FindPort(int preferred)
    {
        foreach (var port in (int[])[preferred, 0])
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Another program has it.
            }
        }
        throw new InvalidOperationException("No port of 127.0.0.1 is free.");
    }
}
