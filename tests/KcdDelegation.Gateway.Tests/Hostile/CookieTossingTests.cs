using System.Net;
using KcdDelegation.Gateway.Tests.SignIn;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>Cookies that a sibling domain sets next to those of the gateway, in forms that browsers accept from it. They are never
/// used, so that no page of a sibling domain chooses the session of the user.</summary>
public sealed class CookieTossingTests(HostileSignInSite fixture) : IClassFixture<HostileSignInSite>
{
    internal const string Session = "__Host-kcd-session";
    private const string SignInPrefix = "__Host-kcd-sign-in-";

    /// <summary>The bytes of white space that .NET removes by default, and browsers do not: in UTF-8, U+2000, U+00A0, U+0085, U+3000 and
    /// U+1680.</summary>
    public static TheoryData<string> WhiteSpace =>
        ["\u00e2\u0080\u0080", "\u00c2\u00a0", "\u00c2\u0085", "\u00e3\u0080\u0080", "\u00e1\u009a\u0080", "\u000b", "\u000c"];

    /// <summary>Forms in which <c>{foreign}</c> is another user's session. The user keeps the own one, or has none.</summary>
    [Theory]
    [InlineData("{name}={own}; {name}={foreign}", false)]
    [InlineData("{name}={foreign}; {name}={own}", false)]
    [InlineData("{name}={own}; {name}={own}", true)]
    [InlineData("{name}={own}; {name}=", false)]
    [InlineData("{name}=; {name}={own}", false)]
    [InlineData("{name}={own}; {name}={own}; {name}={foreign}", false)]
    [InlineData("{name}=\"{foreign}\"; {name}={own}", false)]
    [InlineData("{name}={own}; {name}=\"{foreign}\"", false)]
    [InlineData("{name}=\"{own}\"", false)]
    [InlineData("{name}={own},{name}={foreign}", false)]
    [InlineData("{name} ={foreign}; {name}={own}", false)]
    [InlineData("{name}={own};{name}={foreign}", false)]
    [InlineData("x=\"; {name}={foreign}; y=\"; {name}={own}", false)]
    [InlineData("{name}={foreign}x; {name}={own}", false)]
    [InlineData("{name}={own}={foreign}", false)]
    [InlineData("={name}={foreign}; {name}={own}", true)]
    [InlineData("__HOST-KCD-SESSION={foreign}; {name}={own}", true)]
    [InlineData("__host-kcd-session={foreign}; {name}={own}", true)]
    [InlineData("__Secure-kcd-session={foreign}; {name}={own}", true)]
    [InlineData("kcd-session={foreign}; {name}={own}", true)]
    [InlineData("__Host-kcd-session%20={foreign}; {name}={own}", true)]
    [InlineData("%5F_Host-kcd-session={foreign}; {name}={own}", true)]
    [InlineData("__Host-kcd-session.={foreign}; {name}={own}", true)]
    [InlineData("__Host.kcd-session={foreign}; {name}={own}", true)]
    [InlineData("__Host_kcd_session={foreign}; {name}={own}", true)]
    [InlineData("{name}[0]={foreign}; {name}={own}", true)]
    [InlineData("{name}C1={foreign}; {name}C2={foreign}; {name}={own}", true)]
    [InlineData("{name}={own}; {name}C1={foreign}", true)]
    [InlineData("{name}=chunks-2; {name}C1={foreign}; {name}C2={foreign}", false)]
    [InlineData("$Version=1; {name}={own}; $Path=/", true)]
    [InlineData("$Version=1; ${name}={foreign}; {name}={own}", true)]
    [InlineData("x={foreign}; {name}={own}", true)]
    [InlineData("; ;=;==; {name}={own}", true)]
    [InlineData("__host-KCD-session={foreign}", false)]
    [InlineData("{name}C1={foreign}", false)]
    [InlineData("={name}={foreign}", false)]
    [InlineData(".AspNetCore.Cookies={foreign}", false)]
    public async Task A_foreign_session_next_to_the_own_one_is_never_used(string cookies, bool isAccepted)
    {
        var (own, foreign) = (await fixture.GetSessionAsync("ada"), await fixture.GetSessionAsync("bob"));

        await ShouldBeOwnOrNoneAsync(
            cookies.Replace("{own}", own, StringComparison.Ordinal).Replace("{foreign}", foreign, StringComparison.Ordinal)
                .Replace("{name}", Session, StringComparison.Ordinal),
            isAccepted);
    }

    /// <summary>A browser takes such a name for one without the prefix <c>__Host-</c>, and accepts it from a sibling domain.</summary>
    [Theory]
    [MemberData(nameof(WhiteSpace))]
    public async Task White_space_that_is_no_separator_of_cookies_makes_no_name_of_the_gateway(string space)
    {
        var (own, foreign) = (await fixture.GetSessionAsync("ada"), await fixture.GetSessionAsync("bob"));

        await ShouldBeOwnOrNoneAsync($"{space}{Session}={foreign}; {Session}={own}", isAccepted: true);
        await ShouldBeOwnOrNoneAsync($"{Session}={own}; {Session}{space}={foreign}", isAccepted: true);
        await ShouldBeOwnOrNoneAsync($"{space}{Session}={foreign}", isAccepted: false);
        await ShouldBeOwnOrNoneAsync($"{Session}{space}={foreign}", isAccepted: false);
        await ShouldBeOwnOrNoneAsync($"{Session}={space}{foreign}", isAccepted: false);
        await ShouldBeOwnOrNoneAsync($"{Session}={own}{space}", isAccepted: false);
    }

    [Fact]
    public async Task A_flood_of_other_cookies_hides_no_session()
    {
        var (own, foreign) = (await fixture.GetSessionAsync("ada"), await fixture.GetSessionAsync("bob"));
        var many = string.Concat(Enumerable.Range(0, 1500).Select(i => FormattableString.Invariant($"{Session}{i}={i}; ")));

        await ShouldBeOwnOrNoneAsync($"x={new string('a', 40_000)}; {Session}={own}", isAccepted: true);
        await ShouldBeOwnOrNoneAsync($"{many}{Session}={own}", isAccepted: true);
        await ShouldBeOwnOrNoneAsync($"{Session}={own}; {many}{Session}={foreign}", isAccepted: false);
    }

    /// <summary>A cookie of a sign-in that another browser has begun, with the answer of the provider to it (login CSRF).</summary>
    [Theory]
    [InlineData("{id}=1", true)]
    [InlineData("{id}=1; {id}=1", false)]
    [InlineData("{id}=1; {id}=2", false)]
    [InlineData("=__Host-kcd-sign-in-{plain}=1", false)]
    [InlineData("__host-kcd-sign-in-{plain}=1", false)]
    [InlineData("__HOST-KCD-SIGN-IN-{plain}=1", false)]
    [InlineData("__Secure-kcd-sign-in-{plain}=1", false)]
    [InlineData("kcd-sign-in-{plain}=1", false)]
    [InlineData("{id}x=1", false)]
    [InlineData("__Host-kcd-sign-in-={plain}", false)]
    [InlineData("__Host-kcd-sign-in-00000000000000000000000000000000000000=1", false)]
    [InlineData(".AspNetCore.Correlation.{plain}=N", false)]
    [InlineData(".AspNetCore.OpenIdConnect.Nonce.{plain}=N", false)]
    [InlineData("x=\"; __Host-kcd-sign-in-x={plain}; y=\"", false)]
    [InlineData("\u00e2\u0080\u0080{id}=1", false)]
    [InlineData("{id}\u00e2\u0080\u0080=1", false)]
    [InlineData("\u00c2\u0085{id}=1", false)]
    [InlineData("\u00c2\u00a0{id}=1", false)]
    [InlineData("\u000b{id}=1", false)]
    public async Task Only_the_cookie_of_a_sign_in_lets_it_end(string cookies, bool isAccepted)
    {
        var browser = fixture.Site.CreateBrowser();
        var request = await browser.NavigateAsync(SignInSite.Erp + "/page");
        var identifier = browser.GetCookies().Keys.Single();
        var answer = fixture.Site.Provider.Authorize(request.Location!, user: "bob");

        var received = await fixture.NavigateAsync(
            answer.PathAndQuery,
            cookies.Replace("{id}", identifier, StringComparison.Ordinal)
                .Replace("{plain}", identifier[SignInPrefix.Length..], StringComparison.Ordinal));

        received.Status.ShouldBe(isAccepted ? 302 : 400, received.ToString());
        received.Find("Set-Cookie").Any(cookie => cookie.StartsWith(Session + "=", StringComparison.Ordinal)).ShouldBe(isAccepted);
    }

    [Fact]
    public async Task Cookies_of_other_sign_ins_do_not_disturb_the_own_one()
    {
        var (ada, bob) = (fixture.Site.CreateBrowser(), fixture.Site.CreateBrowser());
        var foreign = await bob.NavigateAsync(SignInSite.Erp + "/of-bob");
        var own = await ada.NavigateAsync(SignInSite.Erp + "/of-ada");
        var planted = string.Join("; ", ada.GetCookies().Concat(bob.GetCookies()).Select(cookie => $"{cookie.Key}={cookie.Value}"));

        var received = await fixture.NavigateAsync(
            fixture.Site.Provider.Authorize(own.Location!, user: "ada").PathAndQuery, planted);

        received.Status.ShouldBe(302);
        received.Find("Location").ShouldBe([SignInSite.Erp + "/of-ada"]);
        (await bob.NavigateAsync(fixture.Site.Provider.Authorize(foreign.Location!, user: "bob").AbsoluteUri)).Location!.AbsolutePath
            .ShouldBe("/of-bob");
    }

    /// <summary>Asserts that a request is that of the user with the own session, or that of no user.</summary>
    private async Task ShouldBeOwnOrNoneAsync(string cookies, bool isAccepted)
    {
        var before = fixture.Site.Gateway.Backend.Requests.Count;

        var answer = await fixture.NavigateAsync("/page", cookies);

        answer.Body.ShouldNotContain("bob");
        answer.Status.ShouldBe((int)(isAccepted ? HttpStatusCode.OK : HttpStatusCode.Found), cookies);
        if (isAccepted)
            answer.Body.ShouldContain("ada");
        else
            fixture.Site.Gateway.Backend.Requests.Count.ShouldBe(before);
    }
}
