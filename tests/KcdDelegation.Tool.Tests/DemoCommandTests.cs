using KcdDelegation.Testing;
using KcdDelegation.Tool.Demo;
using KcdDelegation.Tool.Terminal;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Tool.Tests;

public sealed class DemoCommandTests
{
    [Fact]
    public async Task The_demo_follows_a_request_through_all_stages_and_ends_by_itself()
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
    public async Task Without_a_terminal_there_is_nothing_but_text()
    {
        var run = await Kcd.RunAsync("demo");

        run.Output.ShouldNotContain("\u001b");
        run.Output.Split('\n').ShouldAllBe(line => line.Length <= 100);
    }

    [Fact]
    public async Task Json_lists_what_was_checked_and_the_story_goes_to_standard_error()
    {
        var run = await Kcd.RunAsync("demo", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        var checks = run.Json.GetProperty("checks").EnumerateArray().ToList();
        checks.Count.ShouldBeGreaterThan(8);
        checks.ShouldAllBe(check => check.GetProperty("happened").GetBoolean());
        run.Error.ShouldContain("One request, followed");
    }

    [Fact]
    public async Task What_does_not_go_as_it_should_ends_the_story_with_exit_code_1()
    {
        await using var screen = new StringWriter();
        await using var world = await DemoWorld.StartAsync(NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        // A directory that lets Grace be delegated after all.
        world.Realm.Remove("grace").User("grace");

        var result = await Tell(world, screen);

        result.ToExitCode().ShouldBe(ExitCode.Refused);
        result.Checks.Count(check => !check.Happened).ShouldBe(1);
        result.Checks[^1].Expectation.ShouldContain("Grace is refused");
        screen.ToString().ShouldContain("WRONG  Grace is refused");
    }

    [Fact]
    public async Task A_refusal_where_none_should_be_is_a_refusal()
    {
        await using var screen = new StringWriter();
        await using var world = await DemoWorld.StartAsync(NullLoggerFactory.Instance, TestContext.Current.CancellationToken);
        world.Realm.DenyDelegation(DemoWorld.GatewayAccount, DemoWorld.Service);

        var refusal = await Should.ThrowAsync<KcdException>(Tell(world, screen));

        refusal.Stage.ShouldBe(KcdStage.Delegation);
    }

    private static Task<DemoResult> Tell(DemoWorld world, StringWriter screen) =>
        new DemoStory(world, new DemoScreen(new OutputStream(screen, Width: null)), TimeProvider.System).TellAsync(TestContext.Current.CancellationToken);
}
