using System.Text.Json;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class TraceCommandTests
{
    [Fact]
    public async Task The_transcript_shows_log_on_protocol_transition_and_delegation_in_order()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldBeEmpty();
        ShouldContainInOrder(
            run.Output,
            "1. log-on", "AS-REQ", "gw (NT-PRINCIPAL)", "krbtgt/CONTOSO.TEST (NT-SRV-INST)", "forwardable, renewable, canonicalize",
            "KRB-ERROR", "KDC_ERR_PREAUTH_REQUIRED (25)", "server time", "PA-ETYPE-INFO2 (19)",
            "2. log-on", "PA-ENC-TIMESTAMP (2)", "encrypted with aes256-cts-hmac-sha1-96", "AS-REP", "flags", "initial, pre-authent",
            "session key", "valid",
            "3. S4U2Self", "TGS-REQ", "PA-TGS-REQ (1)", "PA-FOR-USER (129)",
            "user ada (NT-PRINCIPAL), realm CONTOSO.TEST, checksum hmac-md5",
            "PA-S4U-X509-USER (130)", "flags use-reply-key-usage", "PA-PAC-OPTIONS (167)", "claims, resource-based-constrained-delegation",
            "TGS-REP", "ada (NT-PRINCIPAL), realm CONTOSO.TEST", "gw@CONTOSO.TEST", "opened ticket", "PAC", "upn-dns-info",
            "ada, S-1-5-21-",
            "4. S4U2Proxy", "HTTP/app (NT-SRV-INST)", "cname-in-addl-tkt", "evidence",
            "gw@CONTOSO.TEST, aes256-cts-hmac-sha1-96, key version",
            "TGS-REP", "HTTP/app@CONTOSO.TEST",
            "Ticket", "delegated by  gw@CONTOSO.TEST");
    }

    [Fact]
    public async Task Each_exchange_names_the_kdc_its_address_and_its_times()
    {
        await using var gateway = await Gateway.StartAsync();
        var endpoint = gateway.Realm.Endpoint;

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app", "--json");

        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        var exchanges = run.Json.GetProperty("exchanges").EnumerateArray().ToList();
        exchanges.Select(exchange => exchange.GetProperty("stage").GetString()).ShouldBe(["log-on", "log-on", "S4U2Self", "S4U2Proxy"]);
        exchanges.Select(exchange => exchange.GetProperty("number").GetInt32()).ShouldBe([1, 2, 3, 4]);
        var start = run.Json.GetProperty("startedAt").GetDateTimeOffset();
        var earlier = 0d;
        foreach (var exchange in exchanges)
        {
            var kdc = exchange.GetProperty("kdc");
            kdc.GetProperty("host").GetString().ShouldBe(endpoint.Host);
            kdc.GetProperty("port").GetInt32().ShouldBe(endpoint.Port);
            kdc.GetProperty("address").GetString().ShouldBe("127.0.0.1");
            kdc.GetProperty("transport").GetString().ShouldBe("TCP");
            kdc.GetProperty("realm").GetString().ShouldBe("CONTOSO.TEST");
            var offset = exchange.GetProperty("offsetMilliseconds").GetDouble();
            offset.ShouldBeGreaterThanOrEqualTo(earlier);
            (exchange.GetProperty("time").GetDateTimeOffset() - start).TotalMilliseconds.ShouldBe(offset, tolerance: 0.1);
            exchange.GetProperty("replies")[0].GetProperty("elapsedMilliseconds").GetDouble().ShouldBeGreaterThan(0);
            exchange.GetProperty("request").GetProperty("size").GetInt32().ShouldBeGreaterThan(100);
            earlier = offset;
        }
        run.Json.GetProperty("ticket").GetProperty("user").GetString().ShouldBe("ada@CONTOSO.TEST");
        run.Json.TryGetProperty("error", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_refused_target_ends_the_transcript_with_the_explained_refusal()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/other");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Error.ShouldBeEmpty();
        ShouldContainInOrder(
            run.Output, "4. S4U2Proxy", "HTTP/other (NT-SRV-INST)", "KRB-ERROR", "KDC_ERR_BADOPTION (13), NTSTATUS 0xC0000225",
            "kcd: refused", "stage   delegation (S4U2Proxy)", "cause   ", "remedy  ");
    }

    [Fact]
    public async Task A_refused_target_is_in_the_json_with_its_exchanges()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/other", "--json");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Json.GetProperty("error").GetProperty("number").GetInt32().ShouldBe(13);
        run.Json.TryGetProperty("ticket", out _).ShouldBeFalse();
        var last = run.Json.GetProperty("exchanges").EnumerateArray().Last();
        var error = last.GetProperty("replies")[0].GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe("KDC_ERR_BADOPTION");
        error.GetProperty("ntStatus").GetString().ShouldBe("0xC0000225");
        last.GetProperty("request").GetProperty("additionalTickets")[0].GetProperty("service").GetString().ShouldBe("gw");
    }

    [Fact]
    public async Task A_kdc_that_refuses_the_connection_has_a_line_that_says_so()
    {
        await using var gateway = await Gateway.StartAsync();
        var stopped = TestRealm.Start();
        var endpoint = stopped.Endpoint;
        await stopped.DisposeAsync();
        var config = gateway.GetPath("settings.json");
        // A KDC that refuses connections may be restarting, so it is asked again until the time-out.
        await File.WriteAllTextAsync(
            config, """{ "Kcd": { "TicketTimeout": "00:00:00.5" } }""", TestContext.Current.CancellationToken);
        string[] arguments = ["trace", "--config", config, "--realm", "CONTOSO.TEST", "--kdc", endpoint.ToString(), "--account", "gw",
            "--keytab", gateway.Keytab, "--user", "ada", "--spn", "HTTP/app"];

        var run = await Kcd.RunAsync(arguments);
        var json = await Kcd.RunAsync([.. arguments, "--json"]);

        run.ExitCode.ShouldBe(ExitCode.NoAnswer, run.Error);
        ShouldContainInOrder(
            run.Output, "1. log-on", $"127.0.0.1, not connected, port {endpoint.Port}", "no request  the KDC refused the connection, ",
            " times until ", "kcd: no answer");
        run.Output.ShouldNotContain("3. log-on", Case.Sensitive, "the last attempt can end in the time-out; the others are one record");
        json.ExitCode.ShouldBe(ExitCode.NoAnswer);
        var first = json.Json.GetProperty("exchanges")[0];
        first.GetProperty("noReply").GetString().ShouldBe("refused the connection");
        first.TryGetProperty("request", out _).ShouldBeFalse();
        first.GetProperty("repetitions").GetInt32().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_kdc_that_closes_the_connection_has_a_request_without_a_reply_and_the_next_one_follows()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Fail(KdcFault.Close, KerberosExchange.S4U2Self);

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        ShouldContainInOrder(
            run.Output, "3. S4U2Self", "TGS-REQ", "no reply", "the KDC closed the connection without an answer", "4. S4U2Self", "TGS-REP",
            "5. S4U2Proxy");
    }

    [Fact]
    public async Task A_rejected_reply_names_the_check_that_rejected_it()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Fail(KdcFault.WrongNonce, KerberosExchange.S4U2Proxy);

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        ShouldContainInOrder(
            run.Output, "4. S4U2Proxy", "TGS-REP", "session key",
            "rejected", "the nonce of the reply differs from the request's: it answers another request (ReplyRejected)", "kcd: refused");
    }

    [Fact]
    public async Task A_ticket_of_another_user_shows_both_names_and_the_check()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Fail(KdcFault.TicketOfAnotherUser("mallory"), KerberosExchange.S4U2Self);

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        ShouldContainInOrder(run.Output, "user ada (NT-PRINCIPAL)", "client", "mallory", "opened ticket", "mallory", "rejected", "mallory");
    }

    [Fact]
    public async Task Bytes_that_are_no_kerberos_message_are_shown_as_such()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Fail(KdcFault.Garbage, KerberosExchange.S4U2Proxy);

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        ShouldContainInOrder(run.Output, "4. S4U2Proxy", "reply", "no Kerberos message", "rejected", "TGS-REP");
    }

    [Fact]
    public async Task A_clock_that_differs_is_shown_with_its_offset()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.ClockAhead(TimeSpan.FromMinutes(20));

        var run = await gateway.RunAsync("trace", "--user", "ada", "--spn", "HTTP/app", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        var errors = run.Json.GetProperty("exchanges").EnumerateArray()
            .SelectMany(exchange => exchange.GetProperty("replies").EnumerateArray())
            .Where(reply => reply.TryGetProperty("error", out _)).Select(reply => reply.GetProperty("error")).ToList();
        errors.ShouldContain(error => error.GetProperty("number").GetInt32() == 37);
        errors[0].GetProperty("clockOffsetSeconds").GetDouble().ShouldBe(1200, tolerance: 5);
    }

    [Fact]
    public async Task Realm_discovery_and_referrals_of_a_trust_are_stages_of_their_own()
    {
        await using var other = TestRealm.Start("EU.TEST").Service("HTTP/files", delegatedFrom: ["gw@CONTOSO.TEST"]);
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Trusts(other);
        other.Trusts(gateway.Realm);

        var run = await gateway.RunAsync(
            "trace", "--user", "ada.lovelace@contoso.test", "--spn", "HTTP/files", "--kdc", $"EU.TEST={other.Endpoint}");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Output);
        ShouldContainInOrder(
            run.Output, "realm discovery", "ada.lovelace@contoso.test (NT-ENTERPRISE)", "S4U2Self", "S4U2Proxy",
            "krbtgt/EU.TEST@CONTOSO.TEST", "referral", "krbtgt/EU.TEST", "S4U2Proxy", "of realm EU.TEST", "evidence",
            "krbtgt/EU.TEST@CONTOSO.TEST", "HTTP/files@EU.TEST");
    }

    [Fact]
    public async Task An_answer_that_is_too_big_for_udp_is_followed_by_the_request_over_tcp()
    {
        await using var gateway = await Gateway.StartAsync();
        gateway.Realm.Fail(KdcFault.TooBigForUdp);

        var run = await Kcd.RunAsync(
            "trace", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.UdpEndpoint.ToString(), "--account", "gw",
            "--keytab", gateway.Keytab, "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Output);
        ShouldContainInOrder(
            run.Output, "1. log-on", "UDP", "KRB_ERR_RESPONSE_TOO_BIG (52)", "2. log-on", "TCP", "KDC_ERR_PREAUTH_REQUIRED (25)");
    }

    [Fact]
    public async Task A_wrong_password_is_refused_at_the_log_on_and_is_not_in_the_transcript()
    {
        await using var gateway = await Gateway.StartAsync();
        const string Wrong = "wrong horse";

        var run = await Kcd.RunWithInputAsync(
            $"{Wrong}\n", "trace", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw",
            "--password-file", "-", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        ShouldContainInOrder(run.Output, "2. log-on", "PA-ENC-TIMESTAMP (2)", "KDC_ERR_PREAUTH_FAILED (24)", "kcd: refused", "(LogOn)");
        run.Output.ShouldNotContain(Wrong);
    }

    [Fact]
    public async Task A_missing_option_is_wrong_usage_without_a_transcript()
    {
        var run = await Kcd.RunAsync("trace", "--user", "ada");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain("kcd trace --help");
    }

    [Fact]
    public async Task The_help_says_that_names_remain_without_an_option()
    {
        var run = await Kcd.RunAsync("trace", "--help");

        run.Output.ShouldContain("It contains the names of users, services, hosts and realms. With --anonymous,");
    }

    private static void ShouldContainInOrder(string text, params ReadOnlySpan<string> parts)
    {
        var position = 0;
        foreach (var part in parts)
        {
            var found = text.IndexOf(part, position, StringComparison.Ordinal);
            found.ShouldBeGreaterThanOrEqualTo(0, $"\"{part}\" does not follow in:\n{text[position..]}");
            position = found + part.Length;
        }
    }
}
