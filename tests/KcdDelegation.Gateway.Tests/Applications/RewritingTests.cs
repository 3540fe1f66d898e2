using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Tests.Applications;

public sealed class RewritingTests
{
    [Theory]
    [InlineData("{wiki}page?x=1#y", "https://wiki.contoso.test/page?x=1#y")]
    [InlineData("{wiki-upper}page", "https://wiki.contoso.test/page")]
    [InlineData("{erp}login?return=a", "https://erp.contoso.test/login?return=a")]
    [InlineData("//{wiki-authority}/page", "https://wiki.contoso.test/page")]
    [InlineData("/relative?x=1", "/relative?x=1")]
    [InlineData("https://elsewhere.test/page", "https://elsewhere.test/page")]
    [InlineData("//elsewhere.test/page", "//elsewhere.test/page")]
    [InlineData("http://user@{wiki-authority}/page", "http://user@{wiki-authority}/page")]
    public async Task Internal_addresses_become_external_ones_and_others_stay(string sent, string received)
    {
        var address = "";
        await using var gateway = await TestGateway.StartAsync(wiki: context =>
        {
            context.Response.StatusCode = StatusCodes.Status302Found;
            context.Response.Headers.Location = address;
            context.Response.Headers["Content-Location"] = address;
            return Task.CompletedTask;
        });
        string Fill(string text) => text
            .Replace("{wiki}", gateway.Wiki.Url.AbsoluteUri, StringComparison.Ordinal)
            .Replace("{wiki-upper}", gateway.Wiki.Url.AbsoluteUri.ToUpperInvariant(), StringComparison.Ordinal)
            .Replace("{wiki-authority}", gateway.Wiki.Url.Authority, StringComparison.Ordinal)
            .Replace("{erp}", gateway.Backend.Url.AbsoluteUri, StringComparison.Ordinal);
        address = Fill(sent);

        using var response = await gateway.SendAsync("ada", "https://wiki.contoso.test/");

        response.Headers.Location!.OriginalString.ShouldBe(Fill(received));
        response.Content.Headers.GetValues("Content-Location").ShouldBe([Fill(received)]);
    }

    [Fact]
    public async Task A_cookie_belongs_to_the_external_host_and_keeps_its_other_attributes()
    {
        await using var gateway = await TestGateway.StartAsync(wiki: static context =>
        {
            context.Response.Headers.SetCookie = new[]
            {
                "a=1; Domain=wiki.corp.contoso.test; Path=/x; HttpOnly", "b=domain=2; path=/;DOMAIN = .contoso.test ; Secure",
                "c=3; path=/", "domain=4",
            };
            return Task.CompletedTask;
        });

        using var response = await gateway.SendAsync("ada", "https://wiki.contoso.test/");

        response.Headers.GetValues("Set-Cookie").ShouldBe(
            ["a=1; Path=/x; HttpOnly", "b=domain=2; path=/; Secure", "c=3; path=/", "domain=4"]);
    }

    [Fact]
    public async Task No_application_can_set_a_cookie_of_the_gateway()
    {
        await using var gateway = await TestGateway.StartAsync(wiki: static context =>
        {
            context.Response.Headers.SetCookie = new[] { "__Host-kcd-session=evil; path=/; secure", "__host-KCD-x=evil", "kept=1" };
            return Task.CompletedTask;
        });

        using var response = await gateway.SendAsync("ada", "https://wiki.contoso.test/");

        response.Headers.GetValues("Set-Cookie").ShouldBe(["kept=1"]);
    }
}
