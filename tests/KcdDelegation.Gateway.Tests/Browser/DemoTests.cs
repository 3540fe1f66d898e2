using System.Diagnostics;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>The sample <c>samples/GatewayDemo</c> as a process of its own, in Chromium.</summary>
public sealed partial class DemoTests
{
    [Fact]
    public async Task Two_users_sign_in_to_the_demo_and_it_ends_cleanly()
    {
        LabBrowser.Require();
        using var demo = Start();
        try
        {
            var (address, folder) = await ReadStartAsync(demo.StandardOutput);
            await using (var browser = await LabBrowser.StartAsync())
            {
                await using var ada = await browser.CreateUserAsync();
                await using var bob = await browser.CreateUserAsync();
                var (first, second) = (await ada.NewPageAsync(), await bob.NewPageAsync());
                await SignInAsync(first, address + "hello?a=1", "ada");
                await SignInAsync(second, address, "bob");

                await first.ReloadAsync();
                (await first.InnerTextAsync("#user")).ShouldBe("ada@CONTOSO.TEST");
                (await first.InnerTextAsync("main")).ShouldContain("/hello?a=1");
                await LabBrowser.TakeScreenshotsAsync(first, "demo");

                await first.ClickAsync("button:text-is('Sign out')");
                await first.WaitForURLAsync(url => url.Contains("/.kcd/signed-out", StringComparison.Ordinal));
                await second.ReloadAsync();
                (await second.InnerTextAsync("#user")).ShouldBe("bob@CONTOSO.TEST");
            }

            await ProcessSignal.SendAsync(demo, "TERM");
            await demo.WaitForExitAsync(TestContext.Current.CancellationToken);
            demo.ExitCode.ShouldBe(0);
            Directory.Exists(folder).ShouldBeFalse();
        }
        finally
        {
            if (!demo.HasExited)
                demo.Kill();
        }
    }

    private static async Task SignInAsync(IPage page, string url, string user)
    {
        await page.GotoAsync(url);
        try
        {
            await page.ClickAsync($"button[value={user}]");
        }
        catch (TimeoutException error)
        {
            throw new InvalidOperationException(
                $"The page {page.Url} is not that of the provider: {await page.InnerTextAsync("body")}", error);
        }
        (await page.InnerTextAsync("#user")).ShouldBe($"{user}@CONTOSO.TEST");
    }

    private static Process Start()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = Path.Combine(
            Repository.Root, "samples", "GatewayDemo", "bin", configuration, "net10.0", "KcdDelegation.Samples.GatewayDemo.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program]) { UseShellExecute = false, RedirectStandardOutput = true })!;
    }

    /// <summary>Reads the address to open, and the folder of the temporary files.</summary>
    private static async Task<(string Address, string Folder)> ReadStartAsync(StreamReader output)
    {
        string? address = null;
        while (await output.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (AddressLine().Match(line) is { Success: true } found)
                address = found.Groups["address"].Value;
            else if (address is not null && SettingsLine().Match(line) is { Success: true } settings)
                return (address, Path.GetDirectoryName(settings.Groups["path"].Value)!);
        }
        throw new InvalidOperationException("The demo ended before it printed the address.");
    }

    [GeneratedRegex(
        "^Open (?<address>http://localhost:[0-9]+/) in a browser", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex AddressLine();

    [GeneratedRegex(@"\(settings: (?<path>[^)]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SettingsLine();
}
