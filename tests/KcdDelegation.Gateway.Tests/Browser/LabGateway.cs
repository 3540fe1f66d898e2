using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.InteropTests;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>The program <c>kcd-gateway</c> as a process of its own, between the lab's providers and the lab's Apache.</summary>
/// <remarks>
/// <para><c>https://erp.gateway.test</c> signs in at the provider of AD.TEST and shows Apache on Samba's domain,
/// <c>https://hr.gateway.test</c> signs in at that of MIT.TEST and shows Apache on MIT's realm. <c>https://wiki.gateway.test</c> has no
/// delegation and shows <see cref="PlainBackend"/>. <c>finance</c> and <c>vault</c> are erp for members of a group and with a second
/// factor, <c>down</c> has a backend that does not answer, <c>lost</c> a provider that does not.</para>
/// <para>The process runs in a mount namespace of its own, whose hosts file has the names of the lab's web servers.</para>
/// </remarks>
internal sealed class LabGateway : IAsyncDisposable
{
    private static readonly string[] s_applications = ["erp", "hr", "wiki", "finance", "vault", "down", "lost"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-e2e-");
    private readonly StringBuilder _output = new();
    private readonly PlainBackend _wiki;
    private Process? _process;

    private LabGateway(PlainBackend wiki, int port) => (_wiki, Port) = (wiki, port);

    public int Port { get; }

    /// <summary>What the program wrote so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    /// <summary>Skips or fails the running test without a part of the lab that the gateway needs.</summary>
    public static void Require()
    {
        Lab.Require("provider", "samba", "mit", "web");
        LabBrowser.Require();
    }

    /// <summary>Registers clients at both providers and starts the gateway.</summary>
    /// <param name="change">Changes the settings.</param>
    public static async Task<LabGateway> StartAsync(Action<JsonObject>? change = null)
    {
        var gateway = new LabGateway(await PlainBackend.StartAsync(), FreePort.Find());
        try
        {
            var settings = gateway.CreateSettings(
                await gateway.RegisterAsync(LabProvider.Ad, "ad"), await gateway.RegisterAsync(LabProvider.Mit, "mit"));
            change?.Invoke(settings);
            await File.WriteAllTextAsync(gateway.SettingsPath, settings.ToJsonString());
            await gateway.StartProcessAsync();
            return gateway;
        }
        catch
        {
            await gateway.DisposeAsync();
            throw;
        }
    }

    /// <summary>An address of an application: <c>erp</c>, <c>hr</c>, <c>wiki</c>.</summary>
    public string GetUrl(string application, string path = "/") => $"https://{application}.gateway.test:{Port}{path}";

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            await StopAsync(process);
            process.Dispose();
        }
        await _wiki.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private string SettingsPath => Path.Combine(_folder.FullName, "gateway.json");

    private async Task StartProcessAsync()
    {
        var hosts = Path.Combine(_folder.FullName, "hosts");
        await File.WriteAllTextAsync(hosts, "127.0.0.1 localhost web.ad.test web.mit.test\n");
        // The authorities that the program trusts: those of the providers' and of Apache's certificate.
        var trust = Path.Combine(_folder.FullName, "trust.pem");
        await File.WriteAllTextAsync(
            trust, await File.ReadAllTextAsync(LabProvider.AuthorityCertificatePath) + await File.ReadAllTextAsync(LabWeb.CertificatePath));

        var start = new ProcessStartInfo("unshare",
        [
            "--mount", "--propagation", "private", "bash", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\"", hosts,
            Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet",
            Path.Combine(AppContext.BaseDirectory, "kcd-gateway.dll"), "--config", SettingsPath,
        ])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["SSL_CERT_FILE"] = trust, ["SSL_CERT_DIR"] = _folder.FullName, ["NO_PROXY"] = "*" },
        };
        var process = _process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Record(line.Data);
        process.ErrorDataReceived += (_, line) => Record(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await WaitForListenerAsync(process);
    }

    private async Task WaitForListenerAsync(Process process)
    {
        for (var attempt = 0; attempt < 300; attempt++)
        {
            if (process.HasExited)
                break;
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
        throw new InvalidOperationException($"kcd-gateway does not listen on port {Port}: {Output}");
    }

    // The command line of unshare becomes the program, so the signal reaches the program.
    private static async Task StopAsync(Process process)
    {
        if (process.HasExited)
            return;
        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private void Record(string? line)
    {
        lock (_output)
            _output.AppendLine(line);
    }

    private async Task<LabProviderClient> RegisterAsync(LabProvider provider, string name)
    {
        string[] Addresses(string path) => [.. s_applications.Select(application => GetUrl(application, path))];
        var client = await provider.RegisterAsync(new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["redirect_uris"] = Addresses("/.kcd/callback"),
            ["post_logout_redirect_uris"] = Addresses("/.kcd/signed-out"),
            ["backchannel_logout_uri"] = GetUrl("erp", "/.kcd/back-channel-logout"),
            ["backchannel_logout_session_required"] = true,
            ["grant_types"] = new[] { "authorization_code", "refresh_token" },
            ["lab_resource"] = LabProvider.Resource,
        });
        await File.WriteAllTextAsync(GetSecretPath(name), client.Secret);
        return client;
    }

    private string GetSecretPath(string provider) => Path.Combine(_folder.FullName, $"{provider}.secret");

    private JsonObject CreateSettings(LabProviderClient ad, LabProviderClient mit) => new()
    {
        ["Listener"] = new JsonObject
        {
            ["Urls"] = new JsonArray($"https://127.0.0.1:{Port}"),
            ["Certificates"] = new JsonArray(new JsonObject
            {
                ["Certificate"] = Lab.GetPath("provider/gateway.pem"), ["Key"] = Lab.GetPath("provider/gateway.key"),
            }),
            ["Limits"] = new JsonObject { ["DrainDelay"] = "00:00:00", ["DrainTimeout"] = "00:00:02" },
        },
        ["State"] = Path.Combine(_folder.FullName, "state"),
        ["IdentityProviders"] = new JsonObject
        {
            ["ad"] = CreateProvider(LabProvider.Ad, ad, "ad"),
            ["mit"] = CreateProvider(LabProvider.Mit, mit, "mit"),
            ["lost"] = CreateProvider(LabProvider.Ad with { Authority = "https://localhost:10609" }, ad, "ad"),
        },
        ["Kcd"] = new JsonObject
        {
            ["Realm"] = LabRealm.Samba.Realm,
            ["Kdcs"] = new JsonArray(LabRealm.Samba.Kdc.ToString()),
            ["ServiceAccount"] = CreateAccount(LabRealm.Samba),
            ["Realms"] = new JsonObject
            {
                [LabRealm.Mit.Realm] = new JsonObject
                {
                    ["Kdcs"] = new JsonArray(LabRealm.Mit.Kdc.ToString()),
                    ["UserPrincipalSuffixes"] = new JsonArray(LabRealm.Mit.Domain),
                },
                [LabRealm.Samba.Realm] = new JsonObject { ["UserPrincipalSuffixes"] = new JsonArray(LabRealm.Samba.Domain) },
            },
            ["Applications"] = new JsonObject
            {
                ["erp"] = CreateApplication(LabRealm.Samba),
                ["hr"] = CreateApplication(LabRealm.Mit, ["Realm", "ServiceAccount"]),
            },
        },
        ["Applications"] = new JsonObject
        {
            ["erp"] = new JsonObject { ["ExternalUrl"] = GetUrl("erp"), ["IdentityProvider"] = "ad" },
            ["hr"] = new JsonObject { ["ExternalUrl"] = GetUrl("hr"), ["IdentityProvider"] = "mit" },
            ["wiki"] = new JsonObject
            {
                ["ExternalUrl"] = GetUrl("wiki"), ["IdentityProvider"] = "ad", ["Delegation"] = "None",
                ["InternalUrls"] = new JsonArray(_wiki.Url),
            },
            ["finance"] = new JsonObject
            {
                ["ExternalUrl"] = GetUrl("finance"), ["IdentityProvider"] = "ad", ["Delegation"] = "erp",
                ["RequiredGroups"] = new JsonArray("finance"),
            },
            ["vault"] = new JsonObject
            {
                ["ExternalUrl"] = GetUrl("vault"), ["IdentityProvider"] = "ad", ["Delegation"] = "erp",
                ["RequiredAcr"] = LabProvider.SecondFactor,
            },
            ["down"] = new JsonObject
            {
                ["ExternalUrl"] = GetUrl("down"), ["IdentityProvider"] = "ad", ["Delegation"] = "None",
                ["InternalUrls"] = new JsonArray("http://127.0.0.1:1/"),
            },
            ["lost"] = new JsonObject
            {
                ["ExternalUrl"] = GetUrl("lost"), ["IdentityProvider"] = "lost", ["Delegation"] = "None",
                ["InternalUrls"] = new JsonArray(_wiki.Url),
            },
        },
    };

    private JsonObject CreateProvider(LabProvider provider, LabProviderClient client, string name) => new()
    {
        ["Token"] = new JsonObject
        {
            ["Authority"] = provider.Authority, ["ClientId"] = client.Id, ["Audience"] = LabProvider.Resource,
            ["TenantId"] = provider.TenantId,
        },
        ["SignIn"] = new JsonObject
        {
            ["ClientSecretFile"] = GetSecretPath(name), ["Scopes"] = new JsonArray("profile", "offline_access", "read"),
        },
    };

    private static JsonObject CreateAccount(LabRealm realm) => new() { ["Name"] = realm.Connector, ["Keytab"] = realm.Keytab("connector") };

    private static JsonObject CreateApplication(LabRealm realm, params ReadOnlySpan<string> own)
    {
        var application = new JsonObject
        {
            ["InternalUrl"] = new UriBuilder(realm.WebTls("")) { Host = $"web.{realm.Domain}" }.ToString(),
            ["ServicePrincipalName"] = realm.Spn("web"),
            ["MutualAuthentication"] = "Required",
        };
        if (own.Contains("Realm"))
            application["Realm"] = realm.Realm;
        if (own.Contains("ServiceAccount"))
            application["ServiceAccount"] = CreateAccount(realm);
        return application;
    }
}
