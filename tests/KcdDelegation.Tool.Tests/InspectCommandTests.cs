namespace KcdDelegation.Tool.Tests;

public sealed class InspectCommandTests
{
    // MS-NLMP §2.2.1: "NTLMSSP", a zero, the message's number, then flags.
    private const string NtlmNegotiate = "TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAA=";
    private const string NtlmChallenge = "TlRMTVNTUAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    // RFC 4178 §4.2.1: a NegTokenInit that offers NTLM and nothing else.
    private const string SpnegoNtlm = "YBwGBisGAQUFAqASMBCgDjAMBgorBgEEAYI3AgIK";

    [Theory]
    [InlineData("Authorization: Negotiate " + NtlmNegotiate)]
    [InlineData("Negotiate " + NtlmNegotiate)]
    [InlineData("ntlm " + NtlmNegotiate)]
    [InlineData(NtlmNegotiate)]
    public async Task A_token_is_read_with_or_without_what_stands_around_it(string text)
    {
        var run = await Kcd.RunAsync("inspect", text);

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Output.ShouldContain("NTLM message 1");
        run.Output.ShouldContain("32 bytes");
        run.Output.ShouldContain("setspn -Q");
    }

    [Fact]
    public async Task A_token_is_read_from_standard_input_and_from_several_arguments()
    {
        var piped = await Kcd.RunWithInputAsync($"WWW-Authenticate: NTLM {NtlmChallenge}\r\n", "inspect", "-");
        var unquoted = await Kcd.RunAsync("inspect", "WWW-Authenticate:", "NTLM", NtlmChallenge);

        piped.Output.ShouldContain("NTLM message 2");
        unquoted.Output.ShouldBe(piped.Output);
    }

    [Fact]
    public async Task Spnego_shows_what_it_offers()
    {
        var run = await Kcd.RunAsync("inspect", SpnegoNtlm, "--json");

        run.Json.GetProperty("kind").GetString().ShouldBe("SpnegoNtlm");
        run.Json.GetProperty("mechanisms")[0].GetProperty("id").GetString().ShouldBe("1.3.6.1.4.1.311.2.2.10");
        run.Json.GetProperty("mechanisms")[0].GetProperty("name").GetString().ShouldBe("NTLM");
        run.Json.GetProperty("advice").GetString()!.ShouldContain("not Kerberos");
    }

    [Theory]
    [InlineData("Negotiate", "without a token")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.", "bearer token")]
    [InlineData("Basic YWRhOnNlY3JldA==", "password scheme")]
    [InlineData("Hawk abc", "none of Negotiate, Kerberos and NTLM")]
    [InlineData("Negotiate not-base64!", "not base64")]
    public async Task What_is_no_token_is_named_and_not_shown(string text, string expected)
    {
        var run = await Kcd.RunAsync("inspect", text);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        run.Error.ShouldNotContain(text.Split(' ')[^1] == "Negotiate" ? "YII" : text.Split(' ')[^1]);
    }

    [Fact]
    public async Task Bytes_that_are_no_token_exit_1()
    {
        var run = await Kcd.RunAsync("inspect", "AAAA");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldContain("none of the tokens");
    }

    [Theory]
    [InlineData(NegotiateTokenKind.Kerberos)]
    [InlineData(NegotiateTokenKind.KerberosReply)]
    [InlineData(NegotiateTokenKind.KerberosError)]
    [InlineData(NegotiateTokenKind.SpnegoKerberos)]
    [InlineData(NegotiateTokenKind.SpnegoNtlm)]
    [InlineData(NegotiateTokenKind.SpnegoOther)]
    [InlineData(NegotiateTokenKind.SpnegoResponse)]
    [InlineData(NegotiateTokenKind.NtlmNegotiate)]
    [InlineData(NegotiateTokenKind.NtlmChallenge)]
    [InlineData(NegotiateTokenKind.NtlmAuthenticate)]
    [InlineData(NegotiateTokenKind.BareApRequest)]
    public void Every_kind_has_words_and_advice(NegotiateTokenKind kind)
    {
        var (description, advice) = Output.TokenAdvice.Of(kind);

        description.ShouldNotBeEmpty();
        advice.ShouldNotBeEmpty();
        Enum.GetValues<NegotiateTokenKind>().Length.ShouldBe(11);
    }
}
