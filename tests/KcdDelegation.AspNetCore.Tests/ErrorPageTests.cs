using System.Security.Cryptography;
using System.Text;
using KcdDelegation.AspNetCore.Answers;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Tests;

/// <summary>The built-in page.</summary>
public sealed class ErrorPageTests
{
    public static TheoryData<KcdErrorKind> Kinds => [.. Enum.GetValues<KcdErrorKind>()];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_page_has_a_language_a_title_one_heading_and_a_main_part(KcdErrorKind kind)
    {
        var page = ErrorPage.Render(Create(kind), canRetry: true);

        page.ShouldStartWith("<!DOCTYPE html>\n<html lang=\"en\">");
        Count(page, "<title>").ShouldBe(1);
        Count(page, "<h1>").ShouldBe(1);
        Count(page, "<main>").ShouldBe(1);
        page.ShouldContain("name=\"viewport\"");
        page.ShouldContain("prefers-color-scheme:dark");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_page_loads_nothing_and_runs_nothing(KcdErrorKind kind)
    {
        var page = ErrorPage.Render(Create(kind), canRetry: true);

        foreach (var forbidden in (string[])["<script", "src=", "url(", "@import", "<link", "<img", "<form", "http:", "style=", " on"])
        {
            if (forbidden != " on")
                page.ShouldNotContain(forbidden);
        }
        page.ShouldNotMatch(@"\son[a-z]+=");
    }

    [Fact]
    public void Every_value_is_encoded()
    {
        var page = ErrorPage.Render(
            Create(KcdErrorKind.Unavailable) with
            {
                Title = "<t>", Explanation = "<e>", Advice = "<a>", ActivityId = "\"><script>", Contact = "<c>",
                ContactAddress = new Uri("mailto:a@b.example?subject=\"><script>"),
            },
            canRetry: true);

        page.ShouldNotContain("<script");
        foreach (var value in (string[])["&lt;t&gt;", "&lt;e&gt;", "&lt;a&gt;", "&lt;c&gt;", "&quot;&gt;&lt;script&gt;"])
            page.ShouldContain(value);
    }

    [Fact]
    public async Task The_content_security_policy_allows_the_style_of_the_page_by_its_hash_and_nothing_else()
    {
        var context = new DefaultHttpContext();
        using var body = new MemoryStream();
        (context.Response.Body, context.Request.Method) = (body, "GET");
        await new ErrorPage().WriteAsync(context, Create(KcdErrorKind.Configuration));

        var page = Encoding.UTF8.GetString(body.ToArray());
        var style = page.Split("<style>")[1].Split("</style>")[0];
        context.Response.Headers.ContentSecurityPolicy.ToString().ShouldBe(
            $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)))}'; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    }

    [Theory]
    [InlineData(KcdErrorKind.Unavailable, true, true)]
    [InlineData(KcdErrorKind.Unavailable, false, false)]
    [InlineData(KcdErrorKind.Configuration, true, false)]
    public void Trying_again_is_offered_only_where_it_can_help(KcdErrorKind kind, bool canRetry, bool isOffered) =>
        ErrorPage.Render(Create(kind), canRetry).Contains("Try again", StringComparison.Ordinal).ShouldBe(isOffered);

    [Fact]
    public void The_two_problems_of_application_proxies_have_different_pages()
    {
        var (configuration, user) = (AnswerTexts.Get(KcdErrorKind.Configuration), AnswerTexts.Get(KcdErrorKind.UserNotPermitted));

        configuration.Title.ShouldNotBe(user.Title);
        configuration.Type.ShouldNotBe(user.Type);
        configuration.Explanation.ShouldContain("Your account is not the cause");
        user.Explanation.ShouldContain("your account is not allowed");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_problem_has_the_status_of_its_kind(KcdErrorKind kind) =>
        AnswerTexts.Get(kind).Status.ShouldBe(kind switch
        {
            KcdErrorKind.BadRequest => 400,
            KcdErrorKind.NotAuthenticated => 401,
            KcdErrorKind.Unavailable => 503,
            _ => 403,
        });

    internal static KcdErrorAnswer Create(KcdErrorKind kind)
    {
        var texts = AnswerTexts.Get(kind);
        return new KcdErrorAnswer
        {
            Kind = kind,
            StatusCode = texts.Status,
            Type = texts.Type,
            Title = texts.Title,
            Explanation = texts.Explanation,
            Advice = texts.Advice,
            ActivityId = "0af7651916cd43dd8448eb211c80319c",
            Time = new DateTimeOffset(2026, 11, 27, 3, 4, 5, TimeSpan.Zero),
            RetryAfter = kind == KcdErrorKind.Unavailable ? TimeSpan.FromSeconds(30) : null,
            Contact = "your IT service desk",
        };
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
