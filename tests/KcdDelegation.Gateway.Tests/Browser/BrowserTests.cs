using KcdDelegation.InteropTests;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>Debian's Chromium with the driver of the NuGet package, without a download.</summary>
public sealed class BrowserTests
{
    [Fact]
    public async Task The_browser_trusts_the_labs_certificates_and_signs_in_at_a_provider()
    {
        LabBrowser.Require();
        Lab.Require("provider");
        await using var browser = await LabBrowser.StartAsync();
        await using var user = await browser.CreateUserAsync();
        var page = await user.NewPageAsync();
        // The client is not a gateway: nothing listens at its address, so the test stops there.
        Uri? callback = null;
        await user.RouteAsync("http://127.0.0.1:10699/**", route =>
        {
            callback = new Uri(route.Request.Url);
            return route.FulfillAsync(new() { Status = 200, Body = "done" });
        });

        await page.GotoAsync(
            $"{LabProvider.Ad.Authority}/auth?client_id=lab&response_type=code&scope=openid&code_challenge_method=S256"
            + "&code_challenge=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
        await LabBrowser.TakeScreenshotsAsync(page, "provider-sign-in");
        await page.FillAsync("input[name=login]", "alice");
        await page.ClickAsync("button[value=continue]");
        await page.WaitForURLAsync("http://127.0.0.1:10699/**");

        callback.ShouldNotBeNull();
        callback.Query.ShouldContain("code=");
        callback.Query.ShouldContain("iss=" + Uri.EscapeDataString(LabProvider.Ad.Authority));
    }
}
