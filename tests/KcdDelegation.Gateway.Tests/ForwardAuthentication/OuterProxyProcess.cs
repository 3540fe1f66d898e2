using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.Testing;

namespace KcdDelegation.Gateway.Tests.ForwardAuthentication;

/// <summary>nginx, Caddy or HAProxy as a process of its own, with a file of <c>samples/ForwardAuthentication</c> in which only names,
/// ports and paths are replaced.</summary>
internal sealed class OuterProxyProcess : IAsyncDisposable
{
    public const string Nginx = "nginx";
    public const string Caddy = "caddy";
    public const string Haproxy = "haproxy";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("kcd-proxy-");
    private Process? _process;

    public int Port { get; } = FreePort.Find();

    public static string Samples { get; } = Path.Combine(Repository.Root, "samples", "ForwardAuthentication");

    /// <summary>The file of a proxy.</summary>
    public static string GetSamplePath(string kind) =>
        Path.Combine(Samples, kind, kind switch { Nginx => "erp.conf", Caddy => "Caddyfile", _ => "haproxy.cfg" });

    /// <summary>Returns the path of the socket that takes the place of a port.</summary>
    public static string GetSocketPath(int port) => Path.Combine(Path.GetTempPath(), $"kcd-forward-{port}.sock");

    /// <summary>Starts the proxy.</summary>
    /// <param name="kind">The proxy.</param>
    /// <param name="gateway">The gateway, for its certificate.</param>
    /// <param name="publicPort">The port of its listener for clients.</param>
    /// <param name="authenticationPort">The port of its listener for outer proxies.</param>
    /// <param name="backend">The application, with https.</param>
    /// <param name="change">Changes the file; null for none.</param>
    public static async Task<OuterProxyProcess> StartAsync(
        string kind, TestGateway gateway, int publicPort, int authenticationPort, TestBackend backend, Func<string, string>? change = null)
    {
        var proxy = new OuterProxyProcess();
        try
        {
            await proxy.StartAsync(kind, await proxy.PrepareAsync(kind, gateway, publicPort, authenticationPort, backend, change));
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _folder.Delete(recursive: true);
    }

    private async Task<string> PrepareAsync(
        string kind, TestGateway gateway, int publicPort, int authenticationPort, TestBackend backend, Func<string, string>? change)
    {
        var pem = await File.ReadAllTextAsync(gateway.CertificatePath) + "\n" + await File.ReadAllTextAsync(gateway.KeyPath);
        await File.WriteAllTextAsync(GetPath("tls.pem"), pem);
        await File.WriteAllTextAsync(GetPath("backend.pem"), backend.Certificate!.ExportCertificatePem());
        var text = (await File.ReadAllTextAsync(GetSamplePath(kind)))
            .Replace($"/etc/{kind}/tls.pem", GetPath("tls.pem"), StringComparison.Ordinal)
            .Replace($"/etc/{kind}/tls.key", gateway.KeyPath, StringComparison.Ordinal)
            .Replace($"/etc/{kind}/kcd.lua", Path.Combine(Samples, kind, "kcd.lua"), StringComparison.Ordinal)
            .Replace("/etc/ssl/certs/ca-certificates.crt", GetPath("backend.pem"), StringComparison.Ordinal)
            .Replace("erp.corp.contoso.com:443", $"127.0.0.1:{backend.Url.Port}", StringComparison.Ordinal)
            .Replace("https://erp.corp.contoso.com", $"https://localhost:{backend.Url.Port}", StringComparison.Ordinal)
            .Replace("erp.corp.contoso.com", "localhost", StringComparison.Ordinal)
            .Replace("127.0.0.1:4180", $"127.0.0.1:{authenticationPort}", StringComparison.Ordinal)
            .Replace("/run/kcd-forward/auth.sock", GetSocketPath(authenticationPort), StringComparison.Ordinal)
            .Replace("127.0.0.1:4181", $"127.0.0.1:{publicPort}", StringComparison.Ordinal)
            .Replace("listen 443", $"listen 127.0.0.1:{Port}", StringComparison.Ordinal)
            .Replace("bind :443", $"bind 127.0.0.1:{Port}", StringComparison.Ordinal)
            .Replace("\nerp.contoso.com {", $"\nerp.contoso.test:{Port} {{", StringComparison.Ordinal)
            .Replace("erp.contoso.com", "erp.contoso.test", StringComparison.Ordinal);
        if (change is not null)
        {
            var changed = change(text);
            changed.ShouldNotBe(text);
            text = changed;
        }
        if (kind == Caddy)
            text = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text;
        await File.WriteAllTextAsync(GetPath("proxy.conf"), text);
        await File.WriteAllTextAsync(GetPath("nginx.conf"), $$"""
            daemon off;
            user root;
            worker_processes 1;
            pid {{GetPath("nginx.pid")}};
            error_log {{GetPath("error.log")}};
            events { }
            http {
                access_log off;
                client_body_temp_path {{GetPath("body")}};
                proxy_temp_path {{GetPath("proxy")}};
                fastcgi_temp_path {{GetPath("fastcgi")}};
                uwsgi_temp_path {{GetPath("uwsgi")}};
                scgi_temp_path {{GetPath("scgi")}};
                include {{GetPath("proxy.conf")}};
            }
            """);
        return GetPath(kind == Nginx ? "nginx.conf" : "proxy.conf");
    }

    private async Task StartAsync(string kind, string path)
    {
        string[] arguments = kind switch
        {
            Nginx => ["-c", path, "-e", GetPath("error.log")],
            Caddy => ["run", "--config", path, "--adapter", "caddyfile"],
            _ => ["-db", "-f", path],
        };
        var process = _process = new Process
        {
            StartInfo = new ProcessStartInfo(kind == Caddy ? "/usr/bin/caddy" : $"/usr/sbin/{kind}", arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["HOME"] = _folder.FullName, ["SSL_CERT_FILE"] = GetPath("backend.pem"), ["NO_PROXY"] = "*" },
            },
        };
        var output = TestContext.Current.TestOutputHelper;
        process.OutputDataReceived += (_, line) => Write(output, line.Data);
        process.ErrorDataReceived += (_, line) => Write(output, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        for (var attempt = 0; attempt < 200; attempt++)
        {
            process.HasExited.ShouldBeFalse($"{kind} has ended; its output is that of the test");
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(50, TestContext.Current.CancellationToken);
            }
        }
        Assert.Fail($"{kind} does not listen on port {Port}");
    }

    private static void Write(ITestOutputHelper? output, string? line)
    {
        try
        {
            output?.WriteLine(line ?? "");
        }
        catch (InvalidOperationException)
        {
            // The test has ended.
        }
    }

    private string GetPath(string name) => Path.Combine(_folder.FullName, name);
}
