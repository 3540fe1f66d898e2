using KcdDelegation.Testing;
using KcdDelegation.Tool.Demo;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Tool.Tests;

public sealed class DemoCommandTests
{
    [Fact]
    public async Task The_demo_runs_a_request_through_all_stages_and_exits()
    {
        var run = await Kcd.RunAsync("demo");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Output + run.Error);
        run.Error.ShouldBeEmpty();
        foreach (var stage in new[] { "1  Token", "2  Identity", "3  Ticket", "4  Header", "5  HTTP" })
            run.Output.ShouldContain($"── {stage} ──");
        run.Output.ShouldContain("SELF ada>GATEWAY$ ok");
        run.Output.ShouldContain("PROXY ada>HTTP/intranet.contoso.test ok");
        run.Output.ShouldContain("Hello, ada@CONTOSO.TEST!");
        run.Output.ShouldContain("KDC_ERR_BADOPTION (13)");
        run.Output.ShouldContain("remedy");
    }

    [Fact]
    public async Task Without_a_terminal_the_output_is_plain_text()
    {
        var run = await Kcd.RunAsync("demo");

        run.Output.ShouldNotContain("\u001b");
        run.Output.Split('\n').ShouldAllBe(line => line.Length <= 100);
    }

    [Fact]
    public async Task Json_lists_the_checks_and_the_explanation_goes_to_standard_error()
    {
        var run = await Kcd.RunAsync("demo", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        var checks = run.Json.GetProperty("checks").EnumerateArray().ToList();
        checks.Count.ShouldBeGreaterThan(8);
        checks.ShouldAllBe(check => check.GetProperty("passed").GetBoolean());
        run.Error.ShouldContain("One delegated request, step by step");
    }

    [Fact]
    public async Task A_failed_check_ends_the_demo_with_exit_code_1()
    {
        await using var screen = new StringWriter();
        await using var environment = await DemoEnvironment.StartAsync(NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        // A directory that allows the delegation of Grace.
        environment.Realm.Remove("grace").User("grace");

        var result = await RunAsync(environment, screen);

        result.ToExitCode().ShouldBe(ExitCode.Refused);
        result.Checks.Count(check => !check.Passed).ShouldBe(1);
        result.Checks[^1].Expectation.ShouldContain("as Grace is refused");
        screen.ToString().ShouldContain("FAILED  The request as Grace is refused");
    }

    [Fact]
    public async Task An_unexpected_refusal_is_reported_as_a_refusal()
    {
        await using var screen = new StringWriter();
        await using var environment = await DemoEnvironment.StartAsync(NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        environment.Realm.DenyDelegation(DemoEnvironment.GatewayAccount, DemoEnvironment.Service);

        var refusal = await Should.ThrowAsync<KcdException>(RunAsync(environment, screen));

        refusal.Stage.ShouldBe(KcdStage.Delegation);
    }

    private static Task<DemoResult> RunAsync(DemoEnvironment environment, StringWriter screen) =>
        new DemoScenario(environment, new DemoOutput(new OutputStream(screen, Width: null)), TimeProvider.System)
            .RunAsync(TestContext.Current.CancellationToken);
}
