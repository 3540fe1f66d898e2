using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Deployment;

/// <summary>The files of the image, run as the Containerfile says: in namespaces of their own, with a read-only root.</summary>
[Collection(PublishedGateway.Collection)]
public sealed class ContainerTests(PublishedGateway published)
{
    /// <summary>Mounts the files of the image as a read-only root, and runs the program there as the user of the image.</summary>
    private const string Script =
        """
        root=$1 settings=$2 user=$3; shift 3
        set -e
        mount --make-rprivate /
        mount --bind "$root" "$root"
        mount --bind "$settings" "$root/etc/kcd-gateway"
        mount -t proc proc "$root/proc"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs -o "uid=${user%:*},mode=700" state "$root/var/lib/kcd-gateway"
        mount -t tmpfs -o "uid=${user%:*},mode=700" run "$root/run/kcd-gateway"
        mount -o remount,bind,ro "$root"
        exec /usr/sbin/chroot --userspec="$user" --groups= "$root" "$@"
        """;

    [Fact]
    public void The_image_has_no_shell_and_everything_that_the_program_needs()
    {
        PublishedGateway.Require();
        var root = Path.Combine(published.ContainerPath, "root");

        foreach (var program in (string[])["bin/sh", "usr/bin/env", "opt/kcd-gateway/createdump"])
            File.Exists(Path.Combine(root, program)).ShouldBeFalse(program);
        File.ReadAllText(Path.Combine(root, "etc/ssl/certs/ca-certificates.crt")).Split("BEGIN CERTIFICATE").Length
            .ShouldBeGreaterThan(100);
        File.Exists(Path.Combine(root, "usr/share/zoneinfo/Europe/Berlin")).ShouldBeTrue();
        // The files of the image belong to root, and only root can change them.
        foreach (var file in Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories))
        {
            if (!OperatingSystem.IsWindows() && File.ResolveLinkTarget(file, returnFinalTarget: false) is null)
                (File.GetUnixFileMode(file) & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.SetUser))
                    .ShouldBe(UnixFileMode.None, file);
        }
    }

    [Fact]
    public async Task The_image_serves_delegates_and_stops_on_SIGTERM_as_an_unprivileged_user_on_a_read_only_root()
    {
        PublishedGateway.Require();
        await using var gateway = await TestGateway.CreateAsync();
        var (root, port) = (Path.Combine(published.ContainerPath, "root"), FreePort.Find());
        var settings = Path.Combine(published.FolderPath, "settings-container");
        gateway.Settings["Listener"]!["Urls"] = new JsonArray($"https://127.0.0.1:{port}");
        gateway.Settings["State"] = "/var/lib/kcd-gateway";
        gateway.Settings["Operation"] = new JsonObject { ["AdminSocket"] = "/run/kcd-gateway/admin.sock" };
        await PublishedGateway.CopySettingsAsync(gateway, settings);
        var image = Image.Read(Path.Combine(published.ContainerPath, "Containerfile"));
        await PublishedGateway.RunAsync("chown", ["-R", image.User, settings]);

        using var container = Start(image, root, settings);
        try
        {
            var client = gateway.CreateClient(port);
            await WaitUntilLiveAsync(container, client, port);
            var program = FindProgram(container);

            var status = await File.ReadAllLinesAsync($"/proc/{program}/status", TestContext.Current.CancellationToken);
            status.ShouldContain("Uid:\t10001\t10001\t10001\t10001");
            status.ShouldContain("Gid:\t10001\t10001\t10001\t10001");
            status.ShouldContain("CapEff:\t0000000000000000");
            Should.Throw<IOException>(() => File.WriteAllText($"/proc/{program}/root/written", "")).Message.ShouldContain("Read-only");
            (await GetUserAsync(client, gateway)).ShouldBe("ada@CONTOSO.TEST");

            await PublishedGateway.RunAsync("kill", ["-TERM", program]);
            await container.WaitForExitAsync(TestContext.Current.CancellationToken);
            container.ExitCode.ShouldBe(0);
            (await container.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldContain("The gateway stops");
        }
        finally
        {
            if (!container.HasExited)
                container.Kill(entireProcessTree: true);
        }
    }

    private static Process Start(Image image, string root, string settings)
    {
        var start = new ProcessStartInfo("unshare",
            [
                "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", Script, "sh", root, settings, image.User,
                .. image.Command,
            ])
        {
            UseShellExecute = false, RedirectStandardOutput = true,
        };
        var path = start.Environment["PATH"];
        start.Environment.Clear();
        start.Environment["PATH"] = path;
        foreach (var (variable, value) in image.Variables)
            start.Environment[variable] = value;
        return Process.Start(start)!;
    }

    private static async Task WaitUntilLiveAsync(Process container, HttpClient client, int port)
    {
        for (var i = 0; ; i++)
        {
            container.HasExited.ShouldBeFalse("The container has ended.");
            try
            {
                (await client.GetStringAsync($"https://127.0.0.1:{port}/health/live", TestContext.Current.CancellationToken))
                    .ShouldBe("Healthy\n");
                return;
            }
            catch (HttpRequestException) when (i < 300)
            {
                await Task.Delay(100, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>Returns the process of the program, the first one of its process namespace.</summary>
    private static string FindProgram(Process container)
    {
        var id = container.Id.ToString(CultureInfo.InvariantCulture);
        return File.ReadAllText($"/proc/{id}/task/{id}/children").Trim();
    }

    private static async Task<string> GetUserAsync(HttpClient client, TestGateway gateway)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://erp.contoso.test/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Issuer.CreateToken("ada@contoso.test"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>What the Containerfile says about the process.</summary>
    private sealed record Image(string User, string[] Command, (string Name, string Value)[] Variables)
    {
        public static Image Read(string path)
        {
            var lines = File.ReadAllLines(path);
            string[] entryPoint = JsonSerializer.Deserialize<string[]>(Find("ENTRYPOINT"))!;
            return new Image(Find("USER"), [.. entryPoint, .. JsonSerializer.Deserialize<string[]>(Find("CMD"))!],
                [.. Find("ENV").Split(' ').Select(pair => pair.Split('=', 2)).Select(pair => (pair[0], pair[1]))]);

            string Find(string instruction) => lines.Single(line => line.StartsWith(instruction + " ", StringComparison.Ordinal))
                [(instruction.Length + 1)..];
        }
    }
}
