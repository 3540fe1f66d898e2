using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests.Doctor;

/// <summary>The comparison of a report with an earlier one.</summary>
public sealed class DoctorComparisonTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_change_of_a_verdict_is_in_its_group()
    {
        var result = await CompareAsync(
            Report(("kdc.tcp", DoctorVerdict.Fix), ("kdc.clock", DoctorVerdict.Look), ("key.file", DoctorVerdict.Ok),
                ("user.state", DoctorVerdict.Skipped), ("target.spn", DoctorVerdict.Fix), ("account.spn", DoctorVerdict.Fix),
                ("kdc.udp", DoctorVerdict.Look), ("kdc.names", DoctorVerdict.Ok), ("user.names", DoctorVerdict.Ok)),
            Report(("kdc.tcp", DoctorVerdict.Ok), ("kdc.clock", DoctorVerdict.Fix), ("key.file", DoctorVerdict.Look),
                ("user.state", DoctorVerdict.Fix), ("target.spn", DoctorVerdict.Skipped), ("account.spn", DoctorVerdict.Look),
                ("kdc.names", DoctorVerdict.Ok), ("user.names", DoctorVerdict.Skipped), ("account.known", DoctorVerdict.Fix)));

        var comparison = result.Comparison!;
        Checks(comparison.New).ShouldBe(["key.file", "user.state", "account.known"]);
        Checks(comparison.Worse).ShouldBe(["kdc.clock"]);
        Checks(comparison.Mended).ShouldBe(["kdc.tcp", "account.spn"]);
        Checks(comparison.NotChecked).ShouldBe(["target.spn", "user.names", "kdc.udp"]);
        Checks(comparison.Unchanged).ShouldBe(["kdc.names"]);
    }

    [Fact]
    public async Task The_findings_of_two_subjects_are_not_confused()
    {
        var result = await CompareAsync(
            ExampleReports.Create(Find("delegation.list", "erp", DoctorVerdict.Fix), Find("delegation.list", "wiki", DoctorVerdict.Ok)),
            ExampleReports.Create(Find("delegation.list", "wiki", DoctorVerdict.Ok), Find("delegation.list", "erp", DoctorVerdict.Fix)));

        result.Comparison!.Unchanged.Count.ShouldBe(2);
        result.Comparison.New.ShouldBeEmpty();
    }

    [Fact]
    public async Task Settings_that_differ_are_listed_with_both_values()
    {
        var result = await CompareAsync(
            Report() with { Settings = [new("Applications:erp:Realm", "CONTOSO.COM"), new("Applications:erp:TokenFormat", "Spnego")] },
            Report() with { Settings = [new("Applications:erp:Realm", "CONTOSO.COM"), new("Applications:erp:UserRealm", "FABRIKAM.COM")] });

        result.Comparison!.Settings.ShouldBe(
        [
            new SettingChange("Applications:erp:UserRealm", null, "FABRIKAM.COM"),
            new SettingChange("Applications:erp:TokenFormat", "Spnego", null),
        ]);
        Text(result).ShouldContain("  setting      Applications:erp:TokenFormat: \"Spnego\" in before.json, not set now");
    }

    [Fact]
    public async Task Text_json_and_page_contain_the_comparison()
    {
        var result = await CompareAsync(ExampleReports.CreateHealthy(), ExampleReports.CreateMixed());

        var text = Text(result);
        text.ShouldContain("before.json of 2026-11-27 18:30:00 UTC");
        text.ShouldContain("  new          is FIX, not in the earlier report: No delegation list allows svc-gateway to delegate to "
            + "HTTP/erp.contoso.com. [delegation.list, erp]");
        text.ShouldContain("  unchanged    4 OK");
        using var json = new StringWriter();
        result.WriteJson(json);
        json.ToString().ShouldContain("\"comparison\": {");
        json.ToString().ShouldContain("\"now\": \"fix\"");
        var page = DoctorPage.Render(result);
        page.ShouldContain("<h2>Comparison<span>");
        page.ShouldContain("<dt>New</dt>");
    }

    [Fact]
    public async Task A_report_can_be_compared_with_one_that_has_a_comparison()
    {
        var result = await CompareAsync(ExampleReports.CreateMixed(), ExampleReports.CreateMixed());
        using var folder = new TemporaryFolder();

        var again = ExampleReports.ToResult(ExampleReports.CreateMixed()).CompareWith(await ReadAsync(folder, Json(result)));

        again.Comparison!.Unchanged.Count.ShouldBe(9);
        again.Comparison.New.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("not json", "is not JSON (line 1)")]
    [InlineData("[]", "The member version is missing")]
    [InlineData("""{ "error": { "stage": "usage" } }""", "The member version is missing")]
    [InlineData("""{ "version": 2 }""", "The member version is 2, and this version of kcd reads version 1")]
    [InlineData("""{ "version": 1, "version": 1 }""", "is not JSON")]
    [InlineData("""{ "version": 1, "error": { } }""", "The member startedAt is missing")]
    [InlineData("""{ "version": 1, "startedAt": "yesterday", "findings": [], "settings": [] }""", "The member startedAt is not a time")]
    [InlineData(
        """{ "version": 1, "startedAt": "2026-11-27T18:30:00Z", "findings": [5], "settings": [] }""", "The member verdict is missing")]
    [InlineData(
        """{ "version": 1, "startedAt": "2026-11-27T18:30:00Z", "findings": [{ "verdict": "good" }], "settings": [] }""",
        "The member verdict of a finding is \"good\"")]
    [InlineData(
        """{ "version": 1, "startedAt": "2026-11-27T18:30:00Z", "findings": [], "settings": {} }""", "The member settings is missing")]
    public async Task A_file_that_is_no_report_is_refused_before_the_checks(string content, string problem)
    {
        using var folder = new TemporaryFolder();

        var run = await RunAsync(folder, folder.Write("before.json", content));

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("kcd: --compare: ");
        run.Error.ShouldContain(problem);
        run.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_is_missing_or_too_large_is_refused()
    {
        using var folder = new TemporaryFolder();

        (await RunAsync(folder, Path.Combine(folder.Path, "missing.json"))).Error.ShouldContain("does not exist");
        (await RunAsync(folder, folder.Path)).Error.ShouldContain("cannot be read");
        var large = await RunAsync(folder, folder.Write("large.json", new string(' ', 8 * 1024 * 1024 + 1)));

        large.ExitCode.ShouldBe(ExitCode.WrongUsage);
        large.Error.ShouldContain("is larger than 8388608 bytes");
        (await RunAsync(folder, folder.Write("deep.json", new string('[', 100_000)))).Error.ShouldContain("is not JSON");
    }

    [Fact]
    public async Task Texts_of_an_earlier_report_are_never_markup_and_do_not_control_the_terminal()
    {
        var result = await CompareAsync(
            ExampleReports.CreateHostile() with { Settings = [new(ExampleReports.Hostile, ExampleReports.Hostile)] },
            Report(("a", DoctorVerdict.Ok)));

        Text(result).Any(c => c is '\u001b' or '\u202e' or '\0').ShouldBeFalse();
        var page = DoctorPage.Render(result);
        page.ShouldNotContain("<script");
        page.ShouldNotContain("<img");
        page.ShouldContain("&lt;script&gt;");
    }

    [Fact]
    public async Task Invalid_settings_are_compared_without_their_digest()
    {
        using var folder = new TemporaryFolder();

        var earlier = folder.Write("before.json", Json(ExampleReports.ToResult(ExampleReports.CreateHealthy())));

        var run = await RunAsync(folder, earlier, "--json");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        var comparison = run.Json.GetProperty("comparison");
        comparison.GetProperty("new").GetArrayLength().ShouldBe(1);
        comparison.GetProperty("notChecked").GetArrayLength().ShouldBe(4);
        comparison.GetProperty("settings").GetArrayLength().ShouldBe(0);
    }

    private static Task<KcdRun> RunAsync(TemporaryFolder folder, string earlier, params string[] more) => Kcd.RunAsync(
    [
        "doctor", "--config", folder.Write("gateway.json", """{ "Kcd": { "Realm": "CONTOSO.TEST", "Applications": { "erp": { } } } }"""),
        "--compare", earlier, .. more,
    ]);

    private static async Task<DoctorResult> CompareAsync(DoctorReport earlier, DoctorReport now)
    {
        using var folder = new TemporaryFolder();
        return ExampleReports.ToResult(now).CompareWith(await ReadAsync(folder, Json(ExampleReports.ToResult(earlier))));
    }

    private static Task<EarlierReport> ReadAsync(TemporaryFolder folder, string json) =>
        EarlierReport.ReadAsync("--compare", folder.Write("before.json", json), Cancellation);

    private static string Json(DoctorResult result)
    {
        using var json = new StringWriter();
        result.WriteJson(json);
        return json.ToString();
    }

    private static string Text(DoctorResult result)
    {
        using var text = new StringWriter { NewLine = "\n" };
        result.WriteText(new OutputStream(text, Width: null));
        return text.ToString();
    }

    private static DoctorReport Report(params (string Check, DoctorVerdict Verdict)[] findings) =>
        ExampleReports.Create([.. findings.Select(finding => Find(finding.Check, "erp", finding.Verdict))]);

    private static DoctorFinding Find(string check, string subject, DoctorVerdict verdict) =>
        ExampleReports.Ok(check, DoctorStage.Delegation, subject, "It is so.", "text") with { Verdict = verdict };

    private static IEnumerable<string> Checks(IEnumerable<FindingChange> changes) => changes.Select(change => change.Check);
}
