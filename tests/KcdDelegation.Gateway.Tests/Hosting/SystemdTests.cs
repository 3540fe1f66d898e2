using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using KcdDelegation.Gateway.Hosting;

namespace KcdDelegation.Gateway.Tests.Hosting;

public sealed class SystemdTests
{
    /// <summary>The exposure as systemd computes it, in tenths.</summary>
    private const string MaxExposure = "15";

    [Fact]
    public async Task The_unit_is_hardened()
    {
        var unit = Path.Combine(Repository.Root, "deploy", "kcd-gateway.service");
        var start = new ProcessStartInfo(
            "systemd-analyze", ["security", "--offline=true", "--no-pager", $"--threshold={MaxExposure}", unit])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true,
        };

        using var analysis = Process.Start(start)!;
        var output = await analysis.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await analysis.WaitForExitAsync(TestContext.Current.CancellationToken);

        analysis.ExitCode.ShouldBe(0, output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_state_is_sent_to_the_socket_of_the_service_manager(bool isAbstract)
    {
        var name = Path.Combine(Path.GetTempPath(), $"kcd-notify-{Guid.NewGuid():N}");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? $"\0{name}" : name));

        SystemdNotifier.Send(isAbstract ? $"@{name}" : name, "READY=1");

        var buffer = new byte[64];
        var count = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        Encoding.UTF8.GetString(buffer, 0, count).ShouldBe("READY=1");
        File.Delete(name);
    }

    [Fact]
    public void A_service_manager_that_is_gone_is_no_error() =>
        Should.NotThrow(() => SystemdNotifier.Send(Path.Combine(Path.GetTempPath(), "kcd-absent-socket"), "READY=1"));
}
