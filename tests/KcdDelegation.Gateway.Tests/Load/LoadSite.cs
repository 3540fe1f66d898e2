using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using KcdDelegation.Gateway.Tests.SignIn;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using KcdDelegation.Testing.Accepting;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>A gateway as a process of its own, with three applications, two providers and a KDC that can be restarted.</summary>
internal sealed class LoadSite : IAsyncDisposable
{
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("kcd-load-");
    private readonly StringBuilder _output = new();
    private readonly int _port = FreePort.Find();
    private readonly PortRelay _kdc;
    private readonly PortRelay _backend;
    private int _versions;

    private LoadSite(TestGateway gateway, SignInProvider provider)
    {
        (Gateway, Provider) = (gateway, provider);
        (_kdc, _backend) = (new PortRelay(gateway.Realm.Endpoint.Port), new PortRelay(gateway.Backend.Url.Port));
        Process = new Process();
    }

    public TestGateway Gateway { get; }

    public SignInProvider Provider { get; }

    public Process Process { get; }

    public LoadRecord Record { get; } = new();

    /// <summary>Gets the log of the gateway.</summary>
    public string Output
    {
        get
        {
            lock (_output)
                return _output.ToString();
        }
    }

    public static async Task<LoadSite> StartAsync()
    {
        var gateway = await TestGateway.CreateAsync(
            new TestBackendOptions
            {
                Application = LoadApplication.Create(static context => context.Features.Get<AcceptedIdentity>()!.User.ToString()),
            },
            LoadApplication.Create(static context => context.Request.Cookies["user"] ?? ""));
        var site = new LoadSite(gateway, await SignInProvider.StartAsync());
        try
        {
            await site.StartProcessAsync();
            return site;
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
    }

    /// <summary>Creates users with their sessions and tokens.</summary>
    public async Task<IReadOnlyList<LoadUser>> CreateUsersAsync(int count)
    {
        var users = new List<LoadUser>();
        using var client = CreateClient();
        for (var i = 0; i < count; i++)
        {
            var name = FormattableString.Invariant($"u{i:000}");
            Gateway.Realm.User(name);
            users.Add(await SignInAsync(client, name));
        }
        return users;
    }

    /// <summary>Signs a user in at both applications for browsers.</summary>
    public async Task<LoadUser> SignInAsync(HttpClient client, string name)
    {
        Provider.User = name;
        var browser = new TestBrowser(client, Provider);
        foreach (var site in (string[])[SignInSite.Erp, SignInSite.Wiki])
        {
            var answer = await browser.OpenAsync(site + "/page?id=first");
            answer.Status.ShouldBe(HttpStatusCode.OK, $"{answer.Body}\n{Output}");
        }
        return new LoadUser(
            name, Join(browser.GetCookies()), Join(browser.GetCookies(SignInSite.Wiki)),
            Gateway.Issuer.CreateToken($"{name}@contoso.test"), Record);
    }

    /// <summary>Creates a client whose connections are replaced every few seconds, so that it sees a new certificate.</summary>
    public HttpClient CreateClient() => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromSeconds(8),
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, _port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions =
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && Record.AddCertificate(certificate),
        },
    })
    {
        Timeout = TimeSpan.FromSeconds(60),
    };

    /// <summary>Disturbs the parts one after the other until the load ends.</summary>
    public async Task DisturbAsync(CancellationToken end)
    {
        Func<Task>[] disturbances =
            [RestartKdcAsync, RestartBackendAsync, RestartProvidersAsync, ReplaceSettingsAsync, ReplaceCertificateAsync];
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            await Task.Delay(1500, CancellationToken.None);
            await disturbances[i % disturbances.Length]();
        }
    }

    /// <summary>Reads the memory and the handles of the gateway each second until the load ends.</summary>
    public async Task SampleAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            Record.Samples.Add(ProcessSample.Read(Process, Record.Now));
            await Task.Delay(1000, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
        {
            Process.Kill();
            await Process.WaitForExitAsync();
        }
        Process.Dispose();
        await _kdc.DisposeAsync();
        await _backend.DisposeAsync();
        await Gateway.DisposeAsync();
        await Provider.DisposeAsync();
        _state.Delete(recursive: true);
    }

    private static string Join(Dictionary<string, string> cookies) =>
        string.Join("; ", cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}"));

    private async Task RestartKdcAsync()
    {
        await _kdc.StopAsync();
        await Task.Delay(2000, CancellationToken.None);
        _kdc.Start();
        Count("KDC restarted");
    }

    private async Task RestartBackendAsync()
    {
        var start = Record.Now;
        await _backend.StopAsync();
        await Task.Delay(1000, CancellationToken.None);
        _backend.Start();
        Record.AddOutage(start, Record.Now + TimeSpan.FromMilliseconds(500));
        Count("application restarted");
    }

    private async Task RestartProvidersAsync()
    {
        (Provider.IsDown, Gateway.Issuer.IsDown) = (true, true);
        await Task.Delay(2000, CancellationToken.None);
        (Provider.IsDown, Gateway.Issuer.IsDown) = (false, false);
        Count("providers restarted");
    }

    private async Task ReplaceSettingsAsync()
    {
        var name = FormattableString.Invariant($"new{++_versions}");
        var (own, library) = (Gateway.Settings["Applications"]!.AsObject(), Gateway.Settings["Kcd"]!["Applications"]!.AsObject());
        string[] replaced = [.. own.Select(static pair => pair.Key).Where(static key => key.StartsWith("new", StringComparison.Ordinal))];
        foreach (var old in replaced)
        {
            own.Remove(old);
            library.Remove(old);
        }
        library[name] = library["erp"]!.DeepClone();
        own[name] = new JsonObject { ["ExternalUrl"] = $"https://{name}.contoso.test/", ["IdentityProvider"] = "bearer" };
        Gateway.WriteSettings();
        await ProcessSignal.SendAsync(Process, "HUP");
        using var client = CreateClient();
        for (var i = 0; i < 100; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"https://{name}.contoso.test/page?id=1");
            request.Headers.Add("Authorization", "Bearer " + Gateway.Issuer.CreateToken("ada@contoso.test"));
            using var response = await client.SendAsync(request);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                Count("settings replaced");
                return;
            }
            await Task.Delay(100, CancellationToken.None);
        }
        throw new InvalidOperationException($"The gateway does not serve {name}: {Output}");
    }

    private async Task ReplaceCertificateAsync()
    {
        var subject = FormattableString.Invariant($"CN=version-{++_versions}");
        Gateway.WriteCertificate(subject);
        for (var i = 0; i < 100 && !Record.Certificates.ContainsKey(subject); i++)
            await Task.Delay(200, CancellationToken.None);
        if (!Record.Certificates.ContainsKey(subject))
            throw new InvalidOperationException($"No client saw the certificate {subject}: {Output}");
        Count("certificate replaced");
    }

    private void Count(string disturbance) => Record.Disturbances.AddOrUpdate(disturbance, 1, static (_, count) => count + 1);

    private async Task StartProcessAsync()
    {
        WriteSettings();
        Process.StartInfo = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "kcd-gateway"), ["--config", Gateway.SettingsPath])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process.OutputDataReceived += (_, line) => Append(line.Data);
        Process.ErrorDataReceived += (_, line) => Append(line.Data);
        Process.Start();
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
        for (var i = 0; i < 300 && !Process.HasExited && !Output.Contains("number of applications", StringComparison.Ordinal); i++)
            await Task.Delay(100, CancellationToken.None);
        Output.ShouldContain("number of applications: 3");
    }

    private void Append(string? line)
    {
        lock (_output)
        {
            if (_output.Length < 1_000_000)
                _output.AppendLine(line);
        }
    }

    private void WriteSettings()
    {
        var secret = Path.Combine(_state.FullName, "secret");
        File.WriteAllText(secret, SignInProvider.Secret + "\n");
        var settings = Gateway.Settings;
        settings["State"] = Path.Combine(_state.FullName, "state");
        settings["Listener"]!["Urls"] = new JsonArray(FormattableString.Invariant($"https://127.0.0.1:{_port}"));
        settings["IdentityProviders"] = new JsonObject
        {
            ["bearer"] = settings["IdentityProviders"]!["test"]!.DeepClone(),
            ["browser"] = SignInSite.CreateProvider(Provider, secret),
        };
        settings["Kcd"]!["Kdcs"] = new JsonArray(new KdcEndpoint("127.0.0.1", _kdc.Port).ToString());
        settings["Kcd"]!["Applications"]!["erp"]!["InternalUrl"] = FormattableString.Invariant($"http://127.0.0.1:{_backend.Port}/");
        settings["Kcd"]!["Applications"]!["api"] = settings["Kcd"]!["Applications"]!["erp"]!.DeepClone();
        var applications = settings["Applications"]!.AsObject();
        applications["erp"]!["IdentityProvider"] = "browser";
        applications["wiki"]!["IdentityProvider"] = "browser";
        applications["api"] = new JsonObject
        {
            ["ExternalUrl"] = "https://api.contoso.test/", ["IdentityProvider"] = "bearer",
        };
        Gateway.WriteSettings();
    }
}
