using System.Net;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Tests.SignIn;

/// <summary>Providers whose token endpoint does not answer as OAuth 2.0 says.</summary>
public sealed class BrokenProviderTests
{
    [Theory]
    [InlineData(200, "application/json", "{ \"access_token\": ")]
    [InlineData(200, "application/json", "[]")]
    [InlineData(200, "application/json", "null")]
    [InlineData(200, "application/json", "{}")]
    [InlineData(200, "application/json", "{\"access_token\":\"a\",\"id_token\":\"no token\"}")]
    [InlineData(200, "application/json", "{\"access_token\":7,\"id_token\":[]}")]
    [InlineData(200, "application/json", "")]
    [InlineData(200, "text/html", "<p>Maintenance</p>")]
    [InlineData(400, "application/json", "[]")]
    [InlineData(400, "application/json", "{ \"error\": ")]
    [InlineData(500, "text/html", "<p>Error</p>")]
    [InlineData(302, "application/json", "{}")]
    public async Task An_answer_that_is_no_token_is_a_fault_of_the_provider_and_signs_no_user_in(int status, string type, string body)
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.TokenAnswer = context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, type);
            context.Response.Headers.Location = "https://evil.example/token";
            return context.Response.WriteAsync(body);
        };
        var browser = site.CreateBrowser();

        var answer = await browser.OpenAsync(SignInSite.Erp);

        // Neither the age of the sign-in nor the cookies of the browser are the cause.
        answer.Status.ShouldBeOneOf(HttpStatusCode.Forbidden, HttpStatusCode.ServiceUnavailable);
        answer.Body.ShouldContain("Try again");
        answer.Body.ShouldNotContain("no longer valid");
        browser.GetCookies().ShouldNotContainKey("__Host-kcd-session");
        site.Gateway.Log.Find(6051).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task An_answer_without_an_end_is_cut_off()
    {
        await using var site = await SignInSite.StartAsync();
        site.Provider.TokenAnswer = async context =>
        {
            context.Response.ContentType = "application/json";
            var spaces = new byte[1 << 16];
            spaces.AsSpan().Fill((byte)' ');
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(spaces, context.RequestAborted);
        };

        (await site.CreateBrowser().OpenAsync(SignInSite.Erp)).Status.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }
}
