using System.Net.Sockets;
using System.Text;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class PurgeCommandTests
{
    [Theory]
    [InlineData("--user ada@contoso.com", "{\"user\":\"ada@contoso.com\"}")]
    [InlineData("--app erp", "{\"application\":\"erp\"}")]
    [InlineData("--all", "{\"all\":true}")]
    [InlineData("--user ada@contoso.com --sessions", "{\"user\":\"ada@contoso.com\",\"sessions\":true}")]
    [InlineData("--all --sessions", "{\"all\":true,\"sessions\":true}")]
    public async Task The_request_reaches_the_gateway_and_its_count_is_printed(string options, string request)
    {
        var (run, received) = await RunAsync("{\"tickets\":3}\n", options);

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Output.ShouldBe($"Removed tickets: 3.{Environment.NewLine}");
        received.ShouldBe(request + "\n");
    }

    [Fact]
    public async Task The_number_of_ended_sessions_is_printed()
    {
        var (run, _) = await RunAsync("{\"sessions\":2,\"tickets\":3}\n", "--user ada --sessions");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Output.ShouldBe($"Ended sessions: 2.{Environment.NewLine}Removed tickets: 3.{Environment.NewLine}");
    }

    [Theory]
    [InlineData("{\"error\":\"No such application.\"}\n", "Nothing was removed. No such application.")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n", "is not that of a kcd-gateway")]
    [InlineData("[]\n", "is not that of a kcd-gateway")]
    [InlineData("", "is not that of a kcd-gateway")]
    public async Task A_refusal_exits_1(string answer, string expected)
    {
        var (run, _) = await RunAsync(answer, "--app erp");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldContain(expected);
    }

    [Fact]
    public async Task A_gateway_that_does_not_run_exits_3()
    {
        var run = await Kcd.RunAsync("purge", "--socket", Path.Combine(Path.GetTempPath(), "kcd-absent.sock"), "--all");

        run.ExitCode.ShouldBe(ExitCode.NoAnswer);
        run.Output.ShouldContain("Operation:AdminSocket");
    }

    private static async Task<(KcdRun Run, string Received)> RunAsync(string answer, string options)
    {
        var path = Path.Combine(Path.GetTempPath(), $"kcd-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        try
        {
            var gateway = AnswerAsync(listener, answer);
            var run = await Kcd.RunAsync(["purge", "--socket", path, .. options.Split(' ')]);
            return (run, await gateway);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static async Task<string> AnswerAsync(Socket listener, string answer)
    {
        using var connection = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        var buffer = new byte[4096];
        var count = await connection.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        await connection.SendAsync(Encoding.UTF8.GetBytes(answer), TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer, 0, count);
    }
}
