using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class InspectCommandTests
{
    // MS-NLMP §2.2.1: "NTLMSSP", a zero byte, the message type, then flags.
    private const string NtlmNegotiate = "TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAA=";
    private const string NtlmChallenge = "TlRMTVNTUAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    // RFC 4178 §4.2.1: a NegTokenInit that offers NTLM only.
    private const string SpnegoNtlm = "YBwGBisGAQUFAqASMBCgDjAMBgorBgEEAYI3AgIK";

    [Theory]
    [InlineData("Authorization: Negotiate " + NtlmNegotiate)]
    [InlineData("> Authorization: Negotiate " + NtlmNegotiate)]
    [InlineData("Negotiate " + NtlmNegotiate)]
    [InlineData("ntlm " + NtlmNegotiate)]
    [InlineData(NtlmNegotiate)]
    public async Task A_token_is_read_with_or_without_scheme_and_header_name(string text)
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
    public async Task Spnego_shows_the_offered_mechanisms()
    {
        var run = await Kcd.RunAsync("inspect", SpnegoNtlm, "--json");

        run.Json.GetProperty("kind").GetString().ShouldBe("SpnegoNtlm");
        run.Json.GetProperty("mechanisms")[0].GetProperty("id").GetString().ShouldBe("1.3.6.1.4.1.311.2.2.10");
        run.Json.GetProperty("mechanisms")[0].GetProperty("name").GetString().ShouldBe("NTLM");
        run.Json.GetProperty("advice").GetString()!.ShouldContain("not Kerberos");
    }

    [Theory]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.e30.", "bearer token")]
    [InlineData("> Authorization: Basic YWRhOnNlY3JldA==", "password scheme")]
    [InlineData("Digest username=\"ada\", response=\"0a4f\"", "password scheme")]
    [InlineData("Hawk abc", "must be Negotiate, Kerberos or NTLM")]
    [InlineData("Negotiate a\rb\0c d\u0001e", "not base64")]
    [InlineData("(x) qq1", "neither a header value nor a token")]
    [InlineData("Negotiate not-base64!", "not base64")]
    public async Task Text_without_a_token_is_described_and_not_shown(string text, string expected)
    {
        var run = await Kcd.RunAsync("inspect", text);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        run.Error.ShouldNotContain(text.Split(' ')[^1]);
    }

    [Theory]
    [InlineData("Negotiate", "Negotiate", "Kerberos is possible.")]
    [InlineData("WWW-Authenticate: Negotiate, NTLM", "Negotiate, NTLM", "Kerberos is possible.")]
    [InlineData("< WWW-Authenticate: Negotiate", "Negotiate", "Kerberos is possible.")]
    [InlineData(
        "< HTTP/1.1 401 Unauthorized\r\n< WWW-Authenticate: NTLM\r\n< WWW-Authenticate: Negotiate\r\n< Content-Length: 0\r\n",
        "NTLM, Negotiate",
        "put Negotiate first")]
    [InlineData("WWW-Authenticate: NTLM", "NTLM", "does not offer Kerberos")]
    [InlineData("WWW-Authenticate: Basic realm=\"a, b\", Bearer", "Basic, Bearer", "does not offer Kerberos")]
    public async Task Challenges_without_a_token_show_the_offered_schemes(string text, string offers, string advice)
    {
        var run = await Kcd.RunWithInputAsync(text, "inspect", "-");
        var json = await Kcd.RunAsync("inspect", text, "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain($"offers  {offers}{Environment.NewLine}");
        run.Output.ShouldContain(advice);
        json.Json.GetProperty("takesKerberos").GetBoolean().ShouldBe(text.Contains("Negotiate", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Authorization: Negotiate ")]
    public async Task A_token_with_line_breaks_is_one_token(string head)
    {
        var run = await Kcd.RunWithInputAsync($"{head}{NtlmNegotiate[..20]}\r\n{NtlmNegotiate[20..]}\r\n", "inspect", "-");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("NTLM message 1");
    }

    [Fact]
    public async Task The_token_in_the_output_of_curl_is_read()
    {
        var output = $"* Connected\n> GET / HTTP/1.1\n> Authorization: Negotiate {NtlmNegotiate}\n>\n"
            + "< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: Negotiate\n";

        var run = await Kcd.RunWithInputAsync(output, "inspect", "-");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("NTLM message 1");
    }

    [Fact]
    public async Task Bytes_of_an_unknown_kind_exit_1()
    {
        var run = await Kcd.RunAsync("inspect", "AAAA");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldContain("not a token of Negotiate");
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
    public void Every_kind_has_a_description_and_advice(NegotiateTokenKind kind)
    {
        var (description, advice) = Output.TokenAdvice.Get(kind);

        description.ShouldNotBeEmpty();
        advice.ShouldNotBeEmpty();
        Enum.GetValues<NegotiateTokenKind>().Length.ShouldBe(11);
    }
}
