using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.InteropTests;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>Debian's Chromium, driven by Playwright. It resolves <c>*.gateway.test</c> to loopback and trusts the lab's
/// certificates.</summary>
internal sealed class LabBrowser : IAsyncDisposable
{
    private const string Executable = "/usr/bin/chromium";

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private LabBrowser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>The folder of the screenshots, which is kept with the results of a run.</summary>
    public static string Screenshots { get; } = Path.Combine(Lab.Scripts, "..", "..", "artifacts", "screenshots");

    /// <summary>Skips the running test without a browser. Fails it where KCD_REQUIRE_LAB is 1.</summary>
    public static void Require()
    {
        if (File.Exists(Executable))
            return;
        const string Reason = $"{Executable} is missing: run tests/lab/packages";
        if (Environment.GetEnvironmentVariable("KCD_REQUIRE_LAB") == "1")
            Assert.Fail(Reason);
        Assert.Skip(Reason);
    }

    public static async Task<LabBrowser> StartAsync()
    {
        // Servers do not send the lab's authority, so the keys of their own certificates are trusted. Without the lab there are none.
        var keys = string.Join(
            ',', ((string[])["provider/provider.pem", "provider/gateway.pem"]).Select(Lab.GetPath).Where(File.Exists).Select(HashKey));
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Executable,
            Args =
            [
                "--host-resolver-rules=MAP *.gateway.test 127.0.0.1", $"--ignore-certificate-errors-spki-list={keys}",
                "--no-proxy-server", "--disable-dev-shm-usage",
            ],
        });
        return new LabBrowser(playwright, browser);
    }

    /// <summary>Creates a browser profile of its own, with its own cookies.</summary>
    public async Task<IBrowserContext> CreateUserAsync()
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions { ViewportSize = new() { Width = 1280, Height = 800 } });
        context.SetDefaultTimeout(30_000);
        return context;
    }

    /// <summary>Takes screenshots of what a page shows now: desktop, phone and dark.</summary>
    public static async Task TakeScreenshotsAsync(IPage page, string name)
    {
        Directory.CreateDirectory(Screenshots);
        foreach (var (kind, width, height, scheme) in ((string, int, int, ColorScheme)[])[
            ("desktop", 1280, 800, ColorScheme.Light), ("phone", 390, 844, ColorScheme.Light), ("dark", 1280, 800, ColorScheme.Dark)])
        {
            await page.SetViewportSizeAsync(width, height);
            await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = scheme });
            await page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(Screenshots, $"{name}-{kind}.png") });
            // A page that is wider than a phone's screen must be scrolled sideways.
            (await page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(width, $"{name} on {kind}");
        }
        await page.SetViewportSizeAsync(1280, 800);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = ColorScheme.Light });
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private static string HashKey(string certificate)
    {
        using var leaf = X509CertificateLoader.LoadCertificateFromFile(certificate);
        return Convert.ToBase64String(SHA256.HashData(leaf.PublicKey.ExportSubjectPublicKeyInfo()));
    }
}
