using System.Globalization;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>Many users at once, while everything around the gateway is restarted or replaced.</summary>
/// <remarks><c>tests/mixed-load</c> runs it for ten minutes and writes the report.</remarks>
public sealed class MixedLoadTests
{
    private const int Users = 200;

    [Fact]
    public async Task No_user_gets_the_answer_of_another_and_no_request_is_lost()
    {
        var seconds = int.Parse(Environment.GetEnvironmentVariable("KCD_LOAD_SECONDS") ?? "120", CultureInfo.InvariantCulture);
        await using var site = await LoadSite.StartAsync();
        var users = await site.CreateUsersAsync(Users);
        var record = site.Record;
        using (var client = site.CreateClient())
        using (var end = new CancellationTokenSource(TimeSpan.FromSeconds(seconds)))
        {
            await Task.WhenAll(
                [site.SampleAsync(end.Token), site.DisturbAsync(end.Token), .. users.Select(user => user.RunAsync(client, end.Token))]);
        }
        // The connections of the clients are closed; those of aborted requests end with them.
        await Task.Delay(5000, TestContext.Current.CancellationToken);
        var summary = LoadSummary.Create(record.Samples, ProcessSample.Read(site.Process, record.Now));
        var report = LoadReport.Write(record, Users, TimeSpan.FromSeconds(seconds), summary);
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        if (Environment.GetEnvironmentVariable("KCD_LOAD_REPORT") is { } path)
            await File.WriteAllTextAsync(path, report, TestContext.Current.CancellationToken);

        record.Mixed.ShouldBeEmpty();
        record.FindLost().Take(20).Select(failure => failure.ToString()).ShouldBeEmpty(site.Output[..Math.Min(site.Output.Length, 5000)]);
        record.Completed.Keys.Order(StringComparer.Ordinal).ShouldBe(
            ["WebSocket", "aborted", "api", "erp", "events", "large answer", "large request", "wiki"]);
        record.Disturbances.Count.ShouldBe(5);
        summary.LateMemory.ShouldBeLessThan((summary.EarlyMemory * 5 / 4) + 64_000_000, report);
        summary.LateHandles.ShouldBeLessThan((summary.EarlyHandles * 5 / 4) + 50, report);
        summary.LateSockets.ShouldBeLessThan((summary.EarlySockets * 5 / 4) + 50, report);
        summary.End.Sockets.ShouldBeLessThanOrEqualTo((int)summary.LateSockets, report);

        await ProcessSignal.SendAsync(site.Process, "TERM");
        await site.Process.WaitForExitAsync(TestContext.Current.CancellationToken);
        site.Process.ExitCode.ShouldBe(0);
    }
}
