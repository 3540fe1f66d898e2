using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Deployment;

/// <summary>The unit under a systemd of its own, as the first process of namespaces.</summary>
[Collection(PublishedGateway.Collection)]
public sealed class SystemdBootTests(PublishedGateway published)
{
    private const string Unit = "kcd-gateway.service";

    [Fact]
    public async Task The_unit_starts_serves_reloads_and_stops_under_systemd()
    {
        PublishedGateway.Require();
        await using var gateway = await TestGateway.CreateAsync();
        var (settings, port) = (Path.Combine(published.FolderPath, "settings-systemd"), FreePort.Find());
        gateway.Settings["Listener"]!["Urls"] = new JsonArray($"https://127.0.0.1:{port}");
        gateway.Settings["State"] = "/var/lib/kcd-gateway";
        gateway.Settings["Operation"] = new JsonObject { ["AdminSocket"] = "/run/kcd-gateway/admin.sock" };
        await PublishedGateway.CopySettingsAsync(gateway, settings);
        await using var systemd = await Systemd.BootAsync(published, settings);

        await systemd.RunAsync("systemctl", "start", Unit);

        var client = gateway.CreateClient(port);
        (await client.GetStringAsync($"https://127.0.0.1:{port}/health/live", TestContext.Current.CancellationToken)).ShouldBe("Healthy\n");
        (await GetUserAsync(client, gateway, "https://erp.contoso.test/")).ShouldBe("ada@CONTOSO.TEST");
        var program = (await systemd.RunAsync("systemctl", "show", "--property=MainPID", "--value", Unit)).Trim();
        var status = (await systemd.RunAsync("cat", $"/proc/{program}/status")).Split('\n');
        status.ShouldContain("NoNewPrivs:\t1");
        status.ShouldContain("Seccomp:\t2");
        // CAP_NET_BIND_SERVICE, and nothing else.
        status.ShouldContain("CapEff:\t0000000000000400");
        status.ShouldNotContain(line => line.StartsWith("Uid:\t0", StringComparison.Ordinal));

        gateway.Settings["Applications"]!["erp"]!["ExternalUrl"] = "https://new.contoso.test/";
        await PublishedGateway.CopySettingsAsync(gateway, settings);
        await systemd.ReplaceAsync("/etc/kcd-gateway/gateway.json", Path.Combine(settings, "gateway.json"));
        await systemd.RunAsync("systemctl", "reload", Unit);
        for (var i = 0; i < 100 && await GetUserAsync(client, gateway, "https://new.contoso.test/") != "ada@CONTOSO.TEST"; i++)
            await Task.Delay(100, TestContext.Current.CancellationToken);
        (await GetUserAsync(client, gateway, "https://new.contoso.test/")).ShouldBe("ada@CONTOSO.TEST");

        await systemd.RunAsync("systemctl", "stop", Unit);
        (await systemd.RunAsync("systemctl", "show", "--property=Result,ExecMainStatus,ActiveState", Unit))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)
            .ShouldBe(["ActiveState=inactive", "ExecMainStatus=0", "Result=success"]);
        // The journal writes what it has received some time later.
        await systemd.RunAsync("journalctl", "--sync");
        var journal = await systemd.RunAsync("journalctl", "--unit", Unit, "--priority", "6", "--output", "cat", "--no-pager");
        journal.ShouldContain($"listens at https://127.0.0.1:{port}; number of applications: 2");
        journal.ShouldContain("The gateway stops");
    }

    private static async Task<string> GetUserAsync(HttpClient client, TestGateway gateway, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Issuer.CreateToken("ada@contoso.test"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>A systemd that the test has started.</summary>
    private sealed class Systemd : IAsyncDisposable
    {
        /// <summary>Removes the control groups, which are empty a moment after the processes have ended.</summary>
        private const string RemoveGroups =
            """
            groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)/$1
            for i in 1 2 3 4 5 6 7 8 9 10; do
              find "$groups" -depth -type d -delete 2>/dev/null
              [ -d "$groups" ] || exit 0
              sleep 0.3
            done
            exit 1
            """;

        private readonly Process _process;
        private readonly string _name;
        private readonly string _id;

        private Systemd(string folder, string program, string settings)
        {
            var script = Path.Combine(Repository.Root, "tests", "KcdDelegation.Gateway.Tests", "Deployment", "boot-systemd");
            _process = Process.Start(new ProcessStartInfo(script, [folder, program, settings]) { UseShellExecute = false })!;
            _name = Path.GetFileName(folder);
            _id = _process.Id.ToString(CultureInfo.InvariantCulture);
        }

        public static async Task<Systemd> BootAsync(PublishedGateway published, string settings)
        {
            var folder = Path.Combine(published.FolderPath, $"systemd-{Guid.NewGuid():N}");
            Directory.CreateDirectory(folder);
            var systemd = new Systemd(folder, published.ProgramPath, settings);
            try
            {
                for (var i = 0; !systemd.IsFirstProcess(); i++)
                {
                    systemd._process.HasExited.ShouldBeFalse("systemd did not start.");
                    i.ShouldBeLessThan(600);
                    await Task.Delay(100, TestContext.Current.CancellationToken);
                }
                // The socket of systemctl exists a moment later.
                await systemd.RunAsync(
                    "sh", "-c", "until [ -S /run/systemd/private ]; do sleep 0.1; done; systemctl is-system-running --wait");
                return systemd;
            }
            catch
            {
                await systemd.DisposeAsync();
                throw;
            }
        }

        /// <summary>Runs a program in the namespaces of systemd.</summary>
        public Task<string> RunAsync(string program, params string[] arguments) =>
            PublishedGateway.RunAsync("nsenter", ["--target", FindFirstProcess(), "--all", program, .. arguments]);

        /// <summary>Replaces the content of a file that systemd's system has.</summary>
        public async Task ReplaceAsync(string path, string source) => await File.WriteAllBytesAsync(
            $"/proc/{FindFirstProcess()}/root{path}", await File.ReadAllBytesAsync(source, TestContext.Current.CancellationToken),
            TestContext.Current.CancellationToken);

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
                _process.Kill();
            await _process.WaitForExitAsync(CancellationToken.None);
            _process.Dispose();
            await PublishedGateway.RunAsync("sh", ["-c", RemoveGroups, "sh", _name]);
        }

        private bool IsFirstProcess() => FindFirstProcess() is { Length: > 0 } first
            && File.ReadAllText($"/proc/{first}/comm").Trim() == "systemd";

        private string FindFirstProcess() => File.ReadAllText($"/proc/{_id}/task/{_id}/children").Trim();
    }
}
