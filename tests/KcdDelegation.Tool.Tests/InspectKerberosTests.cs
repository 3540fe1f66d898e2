using System.Formats.Asn1;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class InspectKerberosTests
{
    private const string KerberosMechanism = "1.2.840.113554.1.2.2";
    private static readonly DateTimeOffset ServerTime = new(2026, 3, 1, 12, 34, 56, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "accept-completed", "The server accepted the ticket.")]
    [InlineData(1, "accept-incomplete", "not complete")]
    [InlineData(2, "reject", "The server refused the negotiation.")]
    [InlineData(3, "request-mic", "not complete")]
    [InlineData(null, "none", "has no state")]
    public async Task The_state_of_a_spnego_response_is_shown(int? state, string name, string advice)
    {
        var token = CreateResponse(state, content: null);

        var run = await Kcd.RunAsync("inspect", token);
        var json = await Kcd.RunAsync("inspect", token, "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain($"state      {name}{Environment.NewLine}");
        run.Output.ShouldContain(advice);
        json.Json.GetProperty("kind").GetString().ShouldBe("SpnegoResponse");
        json.Json.GetProperty("state").GetString().ShouldBe(name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_kerberos_error_is_decoded(bool insideSpnego)
    {
        var error = CreateError(KerberosErrorCode.Skew, "clock skew");
        var framed = GssKerberosToken.Wrap(GssKerberosToken.ErrorToken, error);

        var token = insideSpnego ? CreateResponse(state: 2, framed) : Convert.ToBase64String(framed);
        var run = await Kcd.RunAsync("inspect", token);
        var json = (await Kcd.RunAsync("inspect", token, "--json")).Json.GetProperty("kerberosError");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        foreach (var expected in new[] { "KRB_AP_ERR_SKEW (37)", "2026-03-01 12:34:56Z", "HTTP/app", "CONTOSO.TEST", "\"clock skew\"",
            "The clocks differ" })
            run.Output.ShouldContain(expected);
        json.GetProperty("code").GetString().ShouldBe("KRB_AP_ERR_SKEW");
        json.GetProperty("number").GetInt32().ShouldBe(37);
        json.GetProperty("serverTime").GetDateTimeOffset().ShouldBe(ServerTime);
        json.GetProperty("realm").GetString().ShouldBe("CONTOSO.TEST");
        json.GetProperty("service").GetString().ShouldBe("HTTP/app");
        json.GetProperty("text").GetString().ShouldBe("clock skew");
    }

    [Fact]
    public async Task A_text_of_the_server_that_controls_the_terminal_is_shown_as_code_points()
    {
        var token = Convert.ToBase64String(CreateError(KerberosErrorCode.Generic, "a\u001b[2Jb\r\n\u202ec"));

        var run = await Kcd.RunAsync("inspect", token);
        var json = await Kcd.RunAsync("inspect", token, "--json");

        run.Output.ShouldContain("KRB_ERR_GENERIC (60)");
        foreach (var character in new[] { "\u001b", "\u202e" })
        {
            run.Output.ShouldNotContain(character);
            json.Output.ShouldNotContain(character);
        }
    }

    [Theory]
    [InlineData(0u, "none")]
    [InlineData(0x20000000u, "mutual-required")]
    [InlineData(0x60000000u, "use-session-key, mutual-required")]
    public async Task The_clear_fields_of_an_ap_request_are_shown(uint options, string expected)
    {
        var ticket = Ticket.Create(
            "CONTOSO.TEST",
            new PrincipalName((int)PrincipalNameType.ServiceInstance, ["HTTP", "app.contoso.test"]),
            new EncryptedData(EncryptionType.Aes256CtsHmacSha1, 7, new byte[64]));
        var request = new ApRequest(options, ticket, new EncryptedData(EncryptionType.Aes128CtsHmacSha1, null, new byte[64])).Encode();

        var token = Convert.ToBase64String(GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request));
        var run = await Kcd.RunAsync("inspect", token);
        var json = (await Kcd.RunAsync("inspect", token, "--json")).Json.GetProperty("apRequest");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain($"service        HTTP/app.contoso.test{Environment.NewLine}");
        run.Output.ShouldContain($"realm          CONTOSO.TEST{Environment.NewLine}");
        run.Output.ShouldContain($"ticket key     aes256-cts-hmac-sha1-96, version 7{Environment.NewLine}");
        run.Output.ShouldContain($"authenticator  encrypted with aes128-cts-hmac-sha1-96{Environment.NewLine}");
        run.Output.ShouldContain($"options        {expected}{Environment.NewLine}");
        json.GetProperty("ticketKeyVersion").GetInt32().ShouldBe(7);
        json.GetProperty("service").GetString().ShouldBe("HTTP/app.contoso.test");
    }

    [Theory]
    [InlineData("kerberos")]
    [InlineData("spnego")]
    public async Task The_ap_request_of_a_printed_header_is_shown(string format)
    {
        await using var gateway = await Gateway.StartAsync();
        var header = await gateway.RunAsync("header", "--user", "ada", "--spn", "HTTP/app", "--format", format);

        var run = await Kcd.RunWithInputAsync(header.Output, "inspect", "-");

        run.Output.ShouldContain("service        HTTP/app");
        run.Output.ShouldContain("ticket key     aes256-cts-hmac-sha1-96");
        run.Output.ShouldNotContain("ada");
    }

    [Theory]
    [InlineData(0x6e)]
    [InlineData(0x7e)]
    public async Task A_malformed_kerberos_message_is_reported(int tag)
    {
        var run = await Kcd.RunAsync("inspect", Convert.ToBase64String([(byte)tag, 2, 5, 0]));

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("malformed  ");
    }

    private static byte[] CreateError(KerberosErrorCode code, string text) => new KrbError
    {
        ServerTime = ServerTime,
        Code = code,
        Realm = "CONTOSO.TEST",
        Service = new PrincipalName((int)PrincipalNameType.ServiceInstance, ["HTTP", "app"]),
        Text = text,
    }.Encode();

    /// <summary>Creates a NegTokenResp (RFC 4178 §4.2.2) in base64.</summary>
    private static string CreateResponse(int? state, byte[]? content)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence(Context(1)))
        using (writer.PushSequence())
        {
            if (state is { } number)
            {
                using (writer.PushSequence(Context(0)))
                    writer.WriteEncodedValue([0x0a, 1, (byte)number]);
            }
            using (writer.PushSequence(Context(1)))
                writer.WriteObjectIdentifier(KerberosMechanism);
            if (content is not null)
            {
                using (writer.PushSequence(Context(2)))
                    writer.WriteOctetString(content);
            }
        }
        return Convert.ToBase64String(writer.Encode());
    }

    private static Asn1Tag Context(int number) => new(TagClass.ContextSpecific, number, isConstructed: true);
}
