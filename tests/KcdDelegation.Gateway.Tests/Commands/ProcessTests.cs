using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Commands;

/// <summary>The program as systemd starts it: with a socket for its state, and with signals.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task The_program_reports_that_it_is_ready_serves_reloads_and_ends_after_a_signal()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var port = FreePort.Find();
        gateway.Settings["Listener"]!["Urls"] = new JsonArray($"https://127.0.0.1:{port}");
        gateway.WriteSettings();
        using var state = new NotifySocket();
        using var program = Start(gateway.SettingsPath, state.Path);
        try
        {
            (await state.ReceiveAsync()).ShouldBe("READY=1");
            var client = gateway.CreateClient(port);
            (await GetAsync(client, gateway, "https://erp.contoso.test/")).ShouldBe("ada@CONTOSO.TEST");

            gateway.Settings["Applications"]!["erp"]!["ExternalUrl"] = "https://new.contoso.test/";
            gateway.WriteSettings();
            await ProcessSignal.SendAsync(program, "HUP");
            for (var i = 0; i < 100 && await GetAsync(client, gateway, "https://new.contoso.test/") != "ada@CONTOSO.TEST"; i++)
                await Task.Delay(100, TestContext.Current.CancellationToken);
            (await GetAsync(client, gateway, "https://new.contoso.test/")).ShouldBe("ada@CONTOSO.TEST");

            await ProcessSignal.SendAsync(program, "TERM");
            (await state.ReceiveAsync()).ShouldBe("STOPPING=1");
            await program.WaitForExitAsync(TestContext.Current.CancellationToken);
            program.ExitCode.ShouldBe(0);
            var log = await program.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            log.ShouldContain($"listens at https://127.0.0.1:{port}; number of applications: 2");
            log.ShouldNotContain("eyJ", Case.Sensitive);
        }
        finally
        {
            if (!program.HasExited)
                program.Kill();
        }
    }

    private static async Task<string> GetAsync(HttpClient client, TestGateway gateway, string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", gateway.Issuer.CreateToken("ada@contoso.test"));
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    private static Process Start(string settings, string state) => Process.Start(new ProcessStartInfo(
        Path.Combine(AppContext.BaseDirectory, "kcd-gateway"), ["--config", settings])
    {
        UseShellExecute = false,
        RedirectStandardOutput = true,
        Environment = { ["NOTIFY_SOCKET"] = state, ["JOURNAL_STREAM"] = null },
    })!;

    private sealed class NotifySocket : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

        public NotifySocket() => _socket.Bind(new UnixDomainSocketEndPoint(Path));

        public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"kcd-notify-{Guid.NewGuid():N}");

        public async Task<string> ReceiveAsync()
        {
            var buffer = new byte[64];
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            timeout.CancelAfter(TimeSpan.FromSeconds(60));
            var count = await _socket.ReceiveAsync(buffer, timeout.Token);
            return Encoding.UTF8.GetString(buffer, 0, count);
        }

        public void Dispose()
        {
            _socket.Dispose();
            File.Delete(Path);
        }
    }
}
