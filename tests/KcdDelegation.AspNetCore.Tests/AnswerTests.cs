using System.Net;
using System.Text.Json;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The answers to requests that cannot be delegated.</summary>
public sealed class AnswerTests
{
    /// <summary>Names that no client may learn.</summary>
    private static readonly string[] Secrets =
        ["GATEWAY", "contoso", "erp", "HTTP/", "krbtgt", "KDC", "Kerberos", "S4U", "setspn", "keytab", "13019", "13022", "ada", "eve"];

    private const string Html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    [Fact]
    public async Task A_user_who_may_not_be_delegated_gets_the_problem_of_the_user()
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync("eve", "/orders");

        var problem = await ReadProblemAsync(response, HttpStatusCode.Forbidden);
        problem.GetProperty("type").GetString().ShouldBe("urn:kcddelegation:problem:user-not-permitted");
        problem.GetProperty("status").GetInt32().ShouldBe(403);
    }

    [Fact]
    public async Task A_missing_right_to_delegate_is_the_problem_of_the_configuration()
    {
        await using var site = await Site.StartAsync(realm: realm => realm.DenyDelegation("GATEWAY$", Site.Service));
        using var response = await site.SendAsync("ada", "/orders");

        var problem = await ReadProblemAsync(response, HttpStatusCode.Forbidden);
        problem.GetProperty("type").GetString().ShouldBe("urn:kcddelegation:problem:delegation-misconfigured");
    }

    [Fact]
    public async Task The_activity_identifier_is_that_of_the_log_and_the_time_is_in_UTC()
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync(
            "eve", "/orders", request => request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));

        var problem = await ReadProblemAsync(response, HttpStatusCode.Forbidden);
        problem.GetProperty("activityId").GetString().ShouldBe("0af7651916cd43dd8448eb211c80319c");
        var age = TimeProvider.System.GetUtcNow() - problem.GetProperty("time").GetDateTimeOffset();
        age.ShouldBeInRange(TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task An_unavailable_KDC_is_answered_with_503_and_the_time_to_wait()
    {
        await using var site = await Site.StartAsync(
            realm: realm => realm.Fail(KdcFault.Unavailable, times: 100),
            configure: builder => builder.Services.AddKcdAspNetCore(answers => answers.RetryAfter = TimeSpan.FromSeconds(7)));
        using var response = await site.SendAsync("ada", "/orders");

        await ReadProblemAsync(response, HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull().Delta.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Fact]
    public async Task A_request_outside_of_the_application_is_answered_with_400()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/outside", (IHttpClientFactory clients) =>
            clients.CreateClient("erp").GetStringAsync(new Uri("http://127.0.0.1:9/"))).RequireAuthorization());
        using var response = await site.SendAsync("ada", "/outside");

        await ReadProblemAsync(response, HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/orders")]
    [InlineData("/copied")]
    [InlineData("/copied-with-body")]
    [InlineData("/wrapped")]
    [InlineData("/explicit")]
    public async Task The_backends_401_never_becomes_one_of_this_host(string path)
    {
        // The ticket is for another service, whose key the backend does not have.
        await using var site = await Site.StartAsync(MapRefusals, configure: UseOtherService, realm: AllowOtherService);
        using var response = await site.SendAsync("ada", path);

        site.Backend.Requests.ShouldContain(request => request.Refusal != null, "the backend itself must refuse the ticket");
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Headers.WwwAuthenticate.ShouldBeEmpty();
        response.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
        if (path != "/copied-with-body")
        {
            (await ReadProblemAsync(response, HttpStatusCode.Forbidden)).GetProperty("type").GetString()
                .ShouldBe("urn:kcddelegation:problem:delegation-misconfigured");
        }
    }

    [Fact]
    public async Task The_hosts_own_401_and_other_errors_are_not_touched()
    {
        await using var site = await Site.StartAsync(app =>
        {
            app.MapGet("/own", () => Results.Unauthorized());
            app.MapGet("/other", string () => throw new HttpRequestException("other", null, HttpStatusCode.Unauthorized));
        });

        using var own = await site.SendAsync("ada", "/own");
        using var other = await site.SendAsync("ada", "/other");
        own.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        other.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact]
    public async Task A_browser_gets_a_page_that_names_the_problem_the_contact_the_activity_and_the_time()
    {
        await using var site = await Site.StartAsync(configure: builder => builder.Services.AddKcdAspNetCore(answers =>
        {
            answers.Contact = "the <service> desk";
            answers.ContactAddress = new Uri("mailto:desk@example.org");
        }));
        using var response = await site.SendAsync("eve", "/orders", request =>
        {
            request.Headers.Add("Sec-Fetch-Mode", "navigate");
            request.Headers.Accept.ParseAdd(Html);
            request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        });

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        response.Content.Headers.ContentType.ShouldNotBeNull().ToString().ShouldBe("text/html; charset=utf-8");
        response.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        page.ShouldContain("<h1>You do not have permission to use this application</h1>");
        page.ShouldContain("<a href=\"mailto:desk@example.org\">the &lt;service&gt; desk</a>");
        page.ShouldContain("<dd>0af7651916cd43dd8448eb211c80319c</dd>");
        page.ShouldContain("<time datetime=\"");
        ShouldTellNothing(page);
    }

    [Theory]
    [InlineData("navigate", "text/html", null, true)]
    [InlineData("navigate", "*/*", null, true)]
    [InlineData("cors", "text/html", null, false)]
    [InlineData("no-cors", Html, null, false)]
    [InlineData("websocket", Html, null, false)]
    [InlineData(null, Html, null, true)]
    [InlineData(null, Html, "XMLHttpRequest", false)]
    [InlineData(null, "*/*", null, false)]
    [InlineData(null, null, null, false)]
    [InlineData(null, "application/json", null, false)]
    [InlineData(null, "application/json, text/html;q=0.5", null, false)]
    [InlineData(null, "text/html;q=0, application/json;q=0", null, false)]
    [InlineData(null, "not a media type", null, false)]
    public async Task Browsers_that_navigate_get_a_page_and_programs_get_problem_details(
        string? mode, string? accept, string? requestedWith, bool wantsPage)
    {
        await using var site = await Site.StartAsync();
        using var response = await site.SendAsync("eve", "/orders", request =>
        {
            if (mode is not null)
                request.Headers.Add("Sec-Fetch-Mode", mode);
            if (accept is not null)
                request.Headers.TryAddWithoutValidation("Accept", accept);
            if (requestedWith is not null)
                request.Headers.Add("X-Requested-With", requestedWith);
        });

        response.Content.Headers.ContentType.ShouldNotBeNull().MediaType.ShouldBe(wantsPage ? "text/html" : "application/problem+json");
    }

    [Theory]
    [InlineData("eve", null)]
    [InlineData("eve", Html)]
    [InlineData("ada", null)]
    [InlineData("ada", Html)]
    public async Task The_answer_tells_nothing_about_accounts_services_and_realms(string user, string? accept)
    {
        await using var site = await Site.StartAsync(MapRefusals, configure: UseOtherService, realm: AllowOtherService);
        using var response = await site.SendAsync(user, "/orders", request =>
        {
            if (accept is not null)
                request.Headers.Accept.ParseAdd(accept);
        });

        ShouldTellNothing(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        ShouldTellNothing(response.Headers.ToString());
    }

    [Fact]
    public async Task A_response_that_has_started_is_aborted_and_not_completed()
    {
        await using var site = await Site.StartAsync(app => app.MapGet("/half", async (HttpContext context, IHttpClientFactory clients) =>
        {
            await context.Response.WriteAsync("first half");
            await context.Response.Body.FlushAsync();
            await clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative));
        }).RequireAuthorization());
        using var response = await site.SendAsync("eve", "/half");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await Should.ThrowAsync<HttpRequestException>(response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        site.Log.Records.ShouldContain(record => record.Id == 5002);
    }

    [Fact]
    public async Task Headers_of_the_failed_response_are_dropped_and_those_of_outer_middleware_are_kept()
    {
        await using var site = await Site.StartAsync(
            before: app => app.Use((context, next) =>
            {
                context.Response.Headers["X-Outer"] = "kept";
                return next(context);
            }),
            routes: app => app.MapGet("/cached", async (HttpContext context, IHttpClientFactory clients) =>
            {
                context.Response.Headers.CacheControl = "public, max-age=3600";
                context.Response.Headers.ETag = "\"1\"";
                context.Response.Headers.ContentDisposition = "attachment";
                await clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative));
            }).RequireAuthorization());
        using var response = await site.SendAsync("eve", "/cached");

        response.Headers.CacheControl.ShouldNotBeNull().ToString().ShouldBe("no-store");
        response.Headers.ETag.ShouldBeNull();
        response.Content.Headers.ContentDisposition.ShouldBeNull();
        response.Headers.GetValues("X-Outer").ShouldBe(["kept"]);
    }

    [Fact]
    public async Task The_host_can_replace_the_page()
    {
        await using var site = await Site.StartAsync(configure: builder => builder.Services.AddSingleton<IKcdErrorPage, OwnPage>());
        using var response = await site.SendAsync("eve", "/orders", request => request.Headers.Accept.ParseAdd(Html));

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe("UserNotPermitted");
        response.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
    }

    [Theory]
    [InlineData(typeof(BrokenPage))]
    [InlineData(typeof(SlowPage))]
    public async Task A_page_of_the_host_that_fails_does_not_hide_the_answer(Type page)
    {
        await using var site = await Site.StartAsync(configure: builder => builder.Services.AddSingleton(typeof(IKcdErrorPage), page));
        using var response = await site.SendAsync("eve", "/orders", request => request.Headers.Accept.ParseAdd(Html));

        await ReadProblemAsync(response, HttpStatusCode.Forbidden);
        site.Log.Records.ShouldContain(record => record.Id == 5003);
    }

    [Fact]
    public async Task HEAD_gets_the_status_and_no_body()
    {
        await using var site = await Site.StartAsync(app => app.MapMethods("/head", ["HEAD"], (IHttpClientFactory clients) =>
            clients.CreateClient("erp").GetStringAsync(new Uri("orders", UriKind.Relative))).RequireAuthorization());
        using var response = await site.SendAsync("eve", "/head", method: HttpMethod.Head);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("javascript:alert(1)")]
    [InlineData("http://example.org/")]
    [InlineData("/relative")]
    public async Task A_contact_address_that_is_no_safe_link_stops_the_start(string address) =>
        (await Should.ThrowAsync<Microsoft.Extensions.Options.OptionsValidationException>(Site.StartAsync(configure: builder =>
            builder.Services.AddKcdAspNetCore(answers => answers.ContactAddress = new Uri(address, UriKind.RelativeOrAbsolute)))))
            .Message.ShouldContain("ContactAddress");

    private static void MapRefusals(WebApplication app)
    {
        app.MapGet("/copied", async (HttpContext context, IHttpClientFactory clients) =>
        {
            using var response = await clients.CreateClient("erp").GetAsync(new Uri("orders", UriKind.Relative));
            context.Response.StatusCode = (int)response.StatusCode;
        }).RequireAuthorization();
        app.MapGet("/copied-with-body", async (HttpContext context, IHttpClientFactory clients) =>
        {
            using var response = await clients.CreateClient("erp").GetAsync(new Uri("orders", UriKind.Relative));
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.Headers.WWWAuthenticate = "Basic";
            await context.Response.WriteAsync("body of the backend");
        }).RequireAuthorization();
        app.MapGet("/wrapped", async (IHttpClientFactory clients) =>
        {
            using var response = await clients.CreateClient("erp").GetAsync(new Uri("orders", UriKind.Relative));
            throw new InvalidOperationException("wrapped", response.GetKcdRefusal());
        }).RequireAuthorization();
        app.MapGet("/explicit", async (HttpContext context, IHttpClientFactory clients) =>
        {
            using var response = await clients.CreateClient("erp").GetAsync(new Uri("orders", UriKind.Relative));
            await context.AnswerKcdRefusalAsync(response.GetKcdRefusal()!);
        }).RequireAuthorization();
    }

    private static void AllowOtherService(TestRealm realm) => realm.AllowDelegation("GATEWAY$", "HTTP/other.contoso.test");

    private static void UseOtherService(WebApplicationBuilder builder) =>
        builder.Services.PostConfigure<KcdOptions>(options =>
            options.Applications["erp"].ServicePrincipalName = "HTTP/other.contoso.test");

    private static async Task<JsonElement> ReadProblemAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType.ShouldNotBeNull().MediaType.ShouldBe("application/problem+json");
        response.Headers.CacheControl.ShouldNotBeNull().NoStore.ShouldBeTrue();
        return JsonDocument.Parse(text).RootElement;
    }

    private static void ShouldTellNothing(string text)
    {
        // The page's own style and the words "read" and "header" contain some of the names.
        var words = System.Text.RegularExpressions.Regex.Replace(text, "(?s)<style>.*?</style>", "", default, TimeSpan.FromSeconds(1))
            .Split([' ', '\n', '"', '\'', '<', '>', '.', ',', ';', ':', '(', ')', '='], StringSplitOptions.RemoveEmptyEntries);
        foreach (var secret in Secrets)
            words.ShouldNotContain(word => word.Contains(secret, StringComparison.OrdinalIgnoreCase) && IsName(word, secret), secret);
    }

    private static bool IsName(string word, string secret) =>
        secret.Length > 3
            ? !word.StartsWith("kcddelegation", StringComparison.Ordinal)
            : word.Equals(secret, StringComparison.OrdinalIgnoreCase);

    private sealed class OwnPage : IKcdErrorPage
    {
        public Task WriteAsync(HttpContext context, KcdErrorAnswer answer) => context.Response.WriteAsync(answer.Kind.ToString());
    }

    /// <summary>A page whose own time-out passes.</summary>
    private sealed class SlowPage : IKcdErrorPage
    {
        public Task WriteAsync(HttpContext context, KcdErrorAnswer answer) => throw new TaskCanceledException("too slow");
    }

    private sealed class BrokenPage : IKcdErrorPage
    {
        public Task WriteAsync(HttpContext context, KcdErrorAnswer answer) => throw new InvalidOperationException("broken");
    }
}
