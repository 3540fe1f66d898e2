using KcdDelegation.Gateway.Commands;

namespace KcdDelegation.Gateway.Tests.Commands;

public sealed class CommandLineTests
{
    [Fact]
    public async Task Help_describes_the_command_and_succeeds()
    {
        var (code, output) = await RunAsync("--help");

        code.ShouldBe(0);
        output.ShouldContain("Kerberos-protected applications");
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        var code = await GatewayCommandLine.RunAsync(arguments, output, output, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
