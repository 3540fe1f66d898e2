using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Output;
using Microsoft.Playwright;

namespace KcdDelegation.Tool.Tests.Doctor;

/// <summary>The report as a page: as text, and as a browser shows it.</summary>
public sealed partial class DoctorPageTests
{
    private const string Browser = "/usr/bin/chromium";

    [Fact]
    public void The_policy_allows_the_style_sheet_of_the_page_and_nothing_else()
    {
        var page = Render(ExampleReports.ToResult(ExampleReports.CreateMixed()));

        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(StyleSheet().Match(page).Groups["text"].Value)));
        page.ShouldContain($"content=\"default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'\"");
        page.ShouldNotContain("<script");
        page.ShouldNotContain(" style=");
        page.ShouldNotContain("src=");
        page.ShouldNotContain("://");
    }

    [Fact]
    public void Texts_of_the_report_are_never_markup()
    {
        var page = Render(ExampleReports.ToResult(ExampleReports.CreateHostile()) with { Config = ExampleReports.Hostile });

        var text = StyleSheet().Replace(page, "");
        text.ShouldNotContain("<script");
        text.ShouldNotContain("<img");
        text.ShouldNotContain("<b>");
        text.ShouldContain("&lt;script&gt;document.title=&#x27;run&#x27;&lt;/script&gt;");
        // Each tag is one of the page, with its attributes closed.
        Tag().Matches(text).ShouldAllBe(tag => OwnTag().IsMatch(tag.Value));
        text.Any(c => c is '\u001b' or '\u202e' or '\u2066' or '\0' or '\r').ShouldBeFalse();
        WebUtility.HtmlDecode(text).ShouldContain("<U+001B>[31m<U+202E>gnp<U+2066><U+000D><U+000A><U+0000>");
    }

    [Fact]
    public void Headings_are_in_order_and_each_verdict_has_a_word()
    {
        var page = Render(ExampleReports.ToResult(ExampleReports.CreateMixed()));

        page.ShouldStartWith("<!DOCTYPE html>\n<html lang=\"en\">");
        var levels = Heading().Matches(page).Select(match => match.Groups["level"].Value[0] - '0').ToList();
        levels[0].ShouldBe(1);
        levels.Zip(levels.Skip(1)).ShouldAllBe(pair => pair.Second <= pair.First + 1);
        foreach (var word in (string[])["FIX", "LOOK", "OK", "SKIPPED"])
            page.ShouldContain($"</span> {word}</span>");
    }

    [Fact]
    public void The_summary_begins_with_the_fault_for_which_other_checks_were_skipped()
    {
        var page = Render(ExampleReports.ToResult(ExampleReports.CreateMixed()));

        page.ShouldContain("2 faults need a correction. 2 checks were not made.");
        var first = page[page.IndexOf("Correct first", StringComparison.Ordinal)..];
        first.IndexOf("href=\"#finding-6\"", StringComparison.Ordinal)
            .ShouldBeInRange(0, first.IndexOf("href=\"#finding-5\"", StringComparison.Ordinal));
        page.ShouldContain("id=\"finding-6\"");
    }

    [Fact]
    public void A_report_without_a_fault_that_is_incomplete_is_not_shown_as_healthy()
    {
        var report = ExampleReports.CreateHealthy();
        var incomplete = report with { Findings = [.. report.Findings.Select(finding => finding with { IsNoAnswer = true })] };

        Render(ExampleReports.ToResult(report)).ShouldContain("<header class=\"summary ok\">");
        var page = Render(ExampleReports.ToResult(incomplete));

        page.ShouldContain("<header class=\"summary look\">");
        page.ShouldContain("No fault was found, but a server did not answer.");
    }

    [Fact]
    public async Task The_page_is_written_for_its_owner_only_and_named_on_standard_output()
    {
        using var folder = new TemporaryFolder();
        var settings = folder.Write("gateway.json", """{ "Kcd": { "Realm": "CONTOSO.TEST", "Applications": { "erp": { } } } }""");
        var page = folder.Write("report.html", "an older report");

        var run = await Kcd.RunAsync("doctor", "--config", settings, "--html", page);

        run.ExitCode.ShouldBe(Terminal.ExitCode.Refused);
        run.Output.ShouldContain($"The report as a page: {page}");
        (await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken)).ShouldContain("1 fault needs a correction.");
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(page).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(folder.Path).Length.ShouldBe(2, "a temporary file remains");
    }

    [Theory]
    [InlineData("missing/report.html", "The directory of")]
    [InlineData("", "is not the path of a file")]
    [InlineData("/", "is not the path of a file")]
    public async Task A_path_that_cannot_be_written_is_refused_before_the_checks(string path, string problem)
    {
        using var folder = new TemporaryFolder();
        var settings = folder.Write("gateway.json", """{ "Kcd": { "Realm": "CONTOSO.TEST" } }""");

        var run = await Kcd.RunAsync("doctor", "--config", settings, "--html", path);

        run.ExitCode.ShouldBe(Terminal.ExitCode.WrongUsage);
        run.Error.ShouldContain($"--html: ");
        run.Error.ShouldContain(problem);
        run.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_browser_shows_the_page_at_every_width_without_a_script_or_a_request()
    {
        RequireBrowser();
        using var folder = new TemporaryFolder();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Browser,
            Args = ["--no-proxy-server", "--disable-dev-shm-usage"],
        });
        foreach (var (name, result) in ((string, DoctorResult)[])[
            ("mixed", CreateCompared()),
            ("healthy", ExampleReports.ToResult(ExampleReports.CreateHealthy())),
            ("hostile", ExampleReports.ToResult(ExampleReports.CreateHostile()))])
        {
            var file = folder.Write($"{name}.html", DoctorPage.Render(result));
            var page = await browser.NewPageAsync();
            List<string> requests = [], refusals = [];
            page.Request += (_, request) => requests.Add(request.Url);
            page.Console += (_, message) => refusals.Add(message.Text);
            await page.GotoAsync(new Uri(file).AbsoluteUri);

            await ShowAsync(page, name);

            requests.ShouldBe([new Uri(file).AbsoluteUri]);
            refusals.ShouldBeEmpty("the policy of the page refuses its own content");
            (await page.TitleAsync()).ShouldStartWith("kcd doctor: ");
            (await page.EvaluateAsync<string>("getComputedStyle(document.querySelector('.badge')).fontWeight")).ShouldBe("700");
            await page.CloseAsync();
        }
    }

    /// <summary>Shows the page on a screen, on a phone and dark, and checks that no part is outside. Takes pictures.</summary>
    private static async Task ShowAsync(IPage page, string name)
    {
        var pictures = Path.Combine(FindRoot(), "artifacts", "screenshots");
        Directory.CreateDirectory(pictures);
        foreach (var (kind, width, scheme) in ((string, int, ColorScheme)[])[
            ("desktop", 1280, ColorScheme.Light), ("phone", 390, ColorScheme.Light), ("dark", 1280, ColorScheme.Dark)])
        {
            await page.SetViewportSizeAsync(width, 844);
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            if (name == "mixed")
            {
                var path = Path.Combine(pictures, $"doctor-{kind}.png");
                await page.ScreenshotAsync(new PageScreenshotOptions { Path = path, FullPage = true });
            }
            (await page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(width, $"{name} on {kind}");
            // Boxes that scroll inside themselves hide a part of a command on paper.
            (await page.EvaluateAsync<int>("[...document.querySelectorAll('pre')].filter(e => e.scrollWidth > e.clientWidth).length"))
                .ShouldBe(0, $"{name} on {kind}");
        }
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
        if (name == "mixed")
            await page.PdfAsync(new PagePdfOptions { Path = Path.Combine(pictures, "doctor.pdf"), Format = "A4" });
    }

    private static DoctorResult CreateCompared()
    {
        var earlier = new EarlierReport("/var/reports/before.json", DateTimeOffset.UnixEpoch,
            [new("kdc.tcp", "svc-gateway@CONTOSO.COM", DoctorVerdict.Fix), new("user.ticket-size", "alice", DoctorVerdict.Ok)],
            [new("Applications:erp:Realm", "FABRIKAM.COM"), new("Applications:erp:TokenFormat", "Spnego")]);
        return ExampleReports.ToResult(ExampleReports.CreateMixed()).CompareWith(earlier);
    }

    private static string Render(DoctorResult result) => DoctorPage.Render(result);

    private static void RequireBrowser()
    {
        if (File.Exists(Browser))
            return;
        const string Reason = $"{Browser} is missing: run tests/lab/packages";
        if (Environment.GetEnvironmentVariable("KCD_REQUIRE_LAB") == "1")
            Assert.Fail(Reason);
        Assert.Skip(Reason);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(folder.FullName, "src")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex("<style>(?<text>.*?)</style>", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StyleSheet();

    [GeneratedRegex("<h(?<level>[1-6])", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Heading();

    [GeneratedRegex("<[^>]*>", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Tag();

    [GeneratedRegex(
        "^<(!DOCTYPE html|/?[a-z]+[0-9]?( [a-z-]+=\"[^\"<>]*\")*|meta http-equiv=\"[^\"]*\"\\s+content=\"[^\"]*\")>$",
        RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OwnTag();
}
