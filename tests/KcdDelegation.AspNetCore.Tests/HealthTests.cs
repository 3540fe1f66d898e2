using System.Net;
using KcdDelegation.AspNetCore.Health;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The health checks: what they find, what they ask, and what they log.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task A_host_whose_account_logs_on_and_whose_applications_have_tickets_is_ready()
    {
        await using var site = await StartAsync(options => options.ProbeUser = "ada");

        (await GetAsync(site, "ready")).ShouldBe((HttpStatusCode.OK, "Healthy"));
        site.Realm.Transcript.ShouldContain($"PROXY ada>{Site.Service} ok");
    }

    [Fact]
    public async Task Live_asks_nothing_outside_and_stays_healthy_without_a_directory()
    {
        await using var site = await StartAsync(realm: realm => realm.Disable("GATEWAY$"));
        var asked = site.Realm.Transcript.Count;

        (await GetAsync(site, "live")).ShouldBe((HttpStatusCode.OK, "Healthy"));
        site.Realm.Transcript.Count.ShouldBe(asked);
        site.Issuer.DocumentRequests.ShouldBe(0);
        site.Backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_account_that_cannot_log_on_is_named_in_the_log_and_not_in_the_answer()
    {
        await using var site = await StartAsync(realm: realm => realm.Disable("GATEWAY$"));

        (await GetAsync(site, "ready")).ShouldBe((HttpStatusCode.ServiceUnavailable, "Unhealthy"));
        site.Log.Records.Single(record => record.Id == 5020).Text.ShouldContain("GATEWAY$");
    }

    [Fact]
    public async Task An_application_without_a_ticket_for_the_probe_user_is_named_in_the_log()
    {
        await using var site = await StartAsync(
            options => options.ProbeUser = "ada", realm => realm.DenyDelegation("GATEWAY$", Site.Service));

        (await GetAsync(site, "ready")).ShouldBe((HttpStatusCode.ServiceUnavailable, "Unhealthy"));
        site.Log.Records.Single(record => record.Id == 5020).Text.ShouldContain($"the application erp ({Site.Service})");
    }

    [Fact]
    public async Task A_probe_user_of_one_application_takes_precedence()
    {
        await using var site = await StartAsync(options =>
        {
            options.ProbeUser = "unknown";
            options.ProbeUsers["ERP"] = "bob";
        });

        (await GetAsync(site, "ready")).ShouldBe((HttpStatusCode.OK, "Healthy"));
        site.Realm.Transcript.ShouldContain($"PROXY bob>{Site.Service} ok");
    }

    [Theory]
    [InlineData("Administrator")]
    [InlineData("krbtgt")]
    public async Task A_built_in_account_is_never_a_probe_user(string user)
    {
        await using var site = await StartAsync(options => options.ProbeUser = user);

        (await GetAsync(site, "ready")).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
        site.Realm.Transcript.ShouldNotContain(line => line.StartsWith("SELF", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_key_is_proved_at_most_once_a_minute_however_often_the_check_is_polled()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var site = await Site.StartAsync();
        site.Realm.RollKeys("GATEWAY$");
        var readiness = CreateReadiness(site, time);
        int Proofs() => site.Realm.Transcript.Count(line => line.StartsWith("AS", StringComparison.Ordinal));

        for (var second = 0; second < 59; second++)
        {
            (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Failed);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Proofs().ShouldBe(1, string.Join('\n', site.Realm.Transcript));
        site.Log.Records.Count(record => record.Id == 5020).ShouldBe(1);
    }

    [Fact]
    public async Task A_failed_log_on_is_not_repeated_for_a_minute_although_the_engine_remembers_a_refusal_for_a_shorter_time()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var site = await Site.StartAsync(
            realm: realm => realm.Disable("GATEWAY$"), configure: builder => builder.Services.AddSingleton<TimeProvider>(time));
        var readiness = CreateReadiness(site, time);

        for (var second = 0; second < 59; second++)
        {
            (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Failed);
            time.Advance(TimeSpan.FromSeconds(1));
        }
        site.Realm.Transcript.Count.ShouldBe(1, string.Join('\n', site.Realm.Transcript));

        time.Advance(TimeSpan.FromSeconds(11));
        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Failed);
        site.Realm.Transcript.Count.ShouldBe(2, string.Join('\n', site.Realm.Transcript));
    }

    [Fact]
    public async Task Concurrent_polls_share_one_check()
    {
        await using var site = await Site.StartAsync(realm: realm => realm.Fail(KdcFault.Delay(TimeSpan.FromMilliseconds(200))));
        var readiness = CreateReadiness(site, TimeProvider.System);

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => readiness.GetAsync(TestContext.Current.CancellationToken)));

        results.ShouldAllBe(result => result == Severity.Passed);
        site.Realm.Transcript.Count(line => line.EndsWith("ok", StringComparison.Ordinal)).ShouldBe(
            1, string.Join('\n', site.Realm.Transcript));
    }

    [Fact]
    public async Task A_ready_host_asks_for_no_new_log_on_and_logs_nothing()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var site = await Site.StartAsync();
        var readiness = CreateReadiness(site, time);

        for (var minute = 0; minute < 5; minute++)
        {
            (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Passed);
            time.Advance(TimeSpan.FromMinutes(1));
        }

        site.Realm.Transcript.Count(line => line == "AS GATEWAY$ ok").ShouldBe(1, string.Join('\n', site.Realm.Transcript));
        site.Log.Records.ShouldNotContain(record => record.Id == 5020 || record.Id == 5021);
    }

    [Fact]
    public async Task KDCs_that_stop_answering_degrade_a_host_whose_users_have_tickets_and_the_log_says_when_they_return()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        await using var site = await Site.StartAsync();
        var readiness = CreateReadiness(site, time);
        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Passed);

        site.Realm.Fail(KdcFault.Close, times: 1000);
        time.Advance(TimeSpan.FromMinutes(1));
        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Degraded);
        time.Advance(TimeSpan.FromSeconds(10));
        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Degraded);
        site.Realm.Heal();
        time.Advance(TimeSpan.FromSeconds(10));
        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Passed);

        site.Log.Records.Where(record => record.Id is 5020 or 5021).Select(record => record.Id).ShouldBe([5020, 5021]);
        site.Log.Records.Single(record => record.Id == 5020).Text.ShouldContain("the KDCs of the realm CONTOSO.TEST");
    }

    [Fact]
    public async Task A_clock_that_differs_degrades_the_host()
    {
        await using var site = await Site.StartAsync(realm: realm => realm.ClockAhead(TimeSpan.FromMinutes(10)));
        var readiness = CreateReadiness(site, TimeProvider.System);

        (await readiness.GetAsync(TestContext.Current.CancellationToken)).ShouldBe(Severity.Degraded);
        // RFC 4120 §5.2.3: the KDC's time has whole seconds.
        site.Log.Records.Single(record => record.Id == 5020).Text.ShouldMatch("The KDC's clock differed by 00:(09:59|10:00)");
    }

    [Fact]
    public async Task The_descriptions_name_no_account_service_or_realm()
    {
        await using var site = await StartAsync(
            options => options.ProbeUser = "ada", realm => realm.DenyDelegation("GATEWAY$", Site.Service));
        var report = await site.Application.Services
            .GetRequiredService<Microsoft.Extensions.Diagnostics.HealthChecks.HealthCheckService>()
            .CheckHealthAsync(TestContext.Current.CancellationToken);

        foreach (var entry in report.Entries.Values)
        {
            entry.Exception.ShouldBeNull();
            entry.Data.ShouldBeEmpty();
            entry.Description.ShouldNotBeNull().ToUpperInvariant().ShouldNotContain("CONTOSO");
            entry.Description.ShouldNotContain("GATEWAY");
            entry.Description.ShouldNotContain("erp");
        }
    }

    private static Readiness CreateReadiness(Site site, TimeProvider time) =>
        new(site.Delegation, Options.Create(new KcdHealthOptions()), site.Log, time);

    private static Task<Site> StartAsync(Action<KcdHealthOptions>? configure = null, Action<TestRealm>? realm = null) => Site.StartAsync(
        configure: builder => builder.Services.AddHealthChecks().AddKcdDelegation(configure),
        realm: realm,
        routes: app =>
        {
            foreach (var tag in (string[])["live", "ready"])
                app.MapHealthChecks($"/health/{tag}", new HealthCheckOptions { Predicate = check => check.Tags.Contains(tag) });
        });

    private static async Task<(HttpStatusCode Status, string Body)> GetAsync(Site site, string tag)
    {
        using var response = await site.SendAsync(null, $"/health/{tag}");
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
