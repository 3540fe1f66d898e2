using KcdDelegation.Http;

namespace KcdDelegation.Tests.Http;

public sealed class ChallengeTests
{
    [Theory]
    [InlineData("Negotiate", "Negotiate")]
    [InlineData("Negotiate oQcwBaADCgEA", "Negotiate=oQcwBaADCgEA")]
    [InlineData("negotiate  YIIB==", "negotiate=YIIB==")]
    [InlineData("Negotiate, NTLM", "Negotiate|NTLM")]
    [InlineData("Negotiate YQ==, Kerberos YWI=, NTLM", "Negotiate=YQ==|Kerberos=YWI=|NTLM")]
    [InlineData("Basic realm=\"a, b\", Negotiate", "Basic|Negotiate")]
    [InlineData("Basic realm=\"a \\\" Negotiate x\", charset = \"UTF-8\" , Negotiate YQ==", "Basic|Negotiate=YQ==")]
    [InlineData("Bearer realm=a,error=invalid_token, Negotiate", "Bearer|Negotiate")]
    [InlineData("Bearer a=, Negotiate", "Bearer=a=|Negotiate")]
    [InlineData(" ,, Negotiate ,, NTLM , ", "Negotiate|NTLM")]
    [InlineData("Basic realm=\"never ends, Negotiate", "Basic")]
    [InlineData("=broken, Negotiate", "")]
    [InlineData("", "")]
    public void Challenges_are_read_in_order_with_their_tokens(string value, string expected) => Read(value).ShouldBe(expected);

    [Fact]
    public void A_line_of_very_many_challenges_is_cut() =>
        Read(string.Join(',', Enumerable.Repeat("Negotiate", 10_000))).Split('|').Length.ShouldBeLessThanOrEqualTo(32);

    [Fact]
    public void Several_lines_keep_their_order()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", ["NTLM", "Negotiate YQ==, Basic realm=x"]).ShouldBeTrue();
        Challenge.ReadAll(response.Headers).Select(challenge => challenge.Scheme).ShouldBe(["NTLM", "Negotiate", "Basic"]);
    }

    [Theory]
    [InlineData("Negotiate, NTLM", "")]
    [InlineData("Negotiate YQ==", "")]
    [InlineData("kerberos YQ==, Basic realm=\"a, b\", charset=\"UTF-8\", Negotiate YQ==", "Basic realm=\"a, b\", charset=\"UTF-8\"")]
    [InlineData("Bearer realm=a,error=invalid_token, NTLM YQ==, Basic", "Bearer realm=a,error=invalid_token|Basic")]
    [InlineData("Bearer abc==, Negotiate", "Bearer abc==")]
    [InlineData("Basic realm=\"never ends, Negotiate YQ==", "Basic")]
    public void Negotiation_is_removed_and_other_schemes_are_kept(string value, string expected)
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", value).ShouldBeTrue();
        Challenge.RemoveNegotiation(response.Headers, Challenge.ReadAll(response.Headers));
        (response.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var left) ? string.Join('|', left) : "").ShouldBe(expected);
    }

    private static string Read(string value)
    {
        var challenges = new List<Challenge>();
        Challenge.Read(value, challenges);
        return string.Join(
            '|', challenges.Select(challenge => challenge.Token is null ? challenge.Scheme : $"{challenge.Scheme}={challenge.Token}"));
    }
}
