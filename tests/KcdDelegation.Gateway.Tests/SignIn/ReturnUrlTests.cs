using KcdDelegation.Gateway.SignIn;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace KcdDelegation.Gateway.Tests.SignIn;

/// <summary>The addresses to which a user returns: none of another host, in whatever form (CVE-2020-4037, CVE-2020-5233).</summary>
public sealed class ReturnUrlTests
{
    private static readonly Uri External = new("https://erp.contoso.test/");

    [Theory]
    [InlineData("/", "/")]
    [InlineData("/orders?id=1&x=%2F#", "/")]
    [InlineData("/orders?id=1&x=%2F", "/orders?id=1&x=%2F")]
    [InlineData("/a//b", "/a//b")]
    [InlineData("/a?u=https://other.example/", "/a?u=https://other.example/")]
    [InlineData("https://erp.contoso.test/orders", "/orders")]
    [InlineData("HTTPS://ERP.contoso.test/orders", "/orders")]
    public void A_path_of_the_application_is_kept(string text, string expected) =>
        ReturnUrl.FromParameter(External, text).ShouldBe("https://erp.contoso.test" + expected);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("orders")]
    [InlineData("//evil.example")]
    [InlineData("///evil.example")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("/%5cevil.example")]
    [InlineData("/%5Cevil.example")]
    [InlineData("/%2fevil.example")]
    [InlineData("/%252fevil.example")]
    [InlineData("/%25252fevil.example")]
    [InlineData("/\tevil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("/%09/evil.example")]
    [InlineData("/%0a/evil.example")]
    [InlineData("/a\r\nSet-Cookie: x=y")]
    [InlineData(" //evil.example")]
    [InlineData("https:evil.example")]
    [InlineData("https:/evil.example")]
    [InlineData("https://evil.example/")]
    [InlineData("https://erp.contoso.test.evil.example/")]
    [InlineData("https://erp.contoso.test@evil.example/")]
    [InlineData("https://erp.contoso.test:443@evil.example/")]
    [InlineData("https://erp.contoso.test")]
    [InlineData("https://erp.contoso.test\\@evil.example/")]
    [InlineData("https://erp.contoso.test//evil.example/")]
    [InlineData("http://erp.contoso.test/")]
    [InlineData("https://wiki.contoso.test/")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("/\u2028/evil.example")]
    [InlineData("/。/evil.example")]
    [InlineData("/<script>")]
    public void Any_other_text_is_replaced_by_the_start_of_the_application(string? text) =>
        ReturnUrl.FromParameter(External, text).ShouldBe("https://erp.contoso.test/");

    [Theory]
    [InlineData("//evil.example/", "/", "https://erp.contoso.test//evil.example/")]
    [InlineData("/\\evil.example/", "/\\evil.example/", "https://erp.contoso.test/%5Cevil.example/")]
    [InlineData("https://evil.example/path", "/path", "https://erp.contoso.test/path")]
    [InlineData("*", "", "https://erp.contoso.test/")]
    [InlineData("", "/decoded path", "https://erp.contoso.test/decoded%20path")]
    [InlineData("/a%252Fb", "/a%2Fb", "https://erp.contoso.test/a%252Fb")]
    public void The_address_of_a_request_starts_with_the_origin_of_the_settings(string target, string path, string expected)
    {
        var context = new DefaultHttpContext();
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        (context.Request.Host, context.Request.Path) = (new HostString("evil.example"), new PathString(path.Length == 0 ? null : path));

        ReturnUrl.FromRequest(External, context.Request).ShouldBe(expected);
    }

    [Fact]
    public void An_address_that_is_too_long_loses_its_query_and_then_its_path()
    {
        ReturnUrl.FromParameter(External, "/a?" + new string('x', 3000)).ShouldBe("https://erp.contoso.test/a");
        ReturnUrl.FromParameter(External, "/" + new string('x', 3000)).ShouldBe("https://erp.contoso.test/");
    }

    [Theory]
    [InlineData("https://erp.contoso.test/a", true)]
    [InlineData("https://erp.contoso.test", false)]
    [InlineData("https://erp.contoso.test.evil.example/", false)]
    [InlineData("https://erp.contoso.test/\\a", false)]
    [InlineData("https://erp.contoso.test/a\n", false)]
    [InlineData("/a", false)]
    [InlineData(null, false)]
    public void Only_an_absolute_address_of_the_application_is_one_of_it(string? address, bool expected) =>
        ReturnUrl.IsAddress(External, address).ShouldBe(expected);
}
