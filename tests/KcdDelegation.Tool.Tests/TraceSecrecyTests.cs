using System.Net;
using System.Text.RegularExpressions;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Recording;
using KcdDelegation.Testing;
using KcdDelegation.Tool.Output;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

/// <summary>What a transcript must not contain: secrets, characters that control a terminal, and with --anonymous names.</summary>
public sealed partial class TraceSecrecyTests
{
    private const string Password = "horse of Zephyra 7";

    /// <summary>The names of the anonymous scenarios. They occur in no word of the program.</summary>
    private static readonly string[] s_names =
        ["quillon", "zephyra", "gwzork", "wibble", "frobnitz", "mallorix", "xyzzy", "127.0.0.1", "S-1-5-21"];

    [Fact]
    public async Task No_key_ticket_checksum_or_password_is_in_the_text_or_the_json()
    {
        await using var realm = StartRealm();
        using var account = realm.CreateServiceAccount("gwzork$");
        var recorder = new ExchangeRecorder(TimeProvider.System);
        var options = new S4UClientOptions { Realm = realm.Name, Account = account, Recorder = recorder };
        options.Kdcs[realm.Name] = [realm.Endpoint];
        List<byte[]> secrets = [];
        await using (var client = new S4UClient(options))
        {
            var ticket = await client.GetTicketAsync(
                KerberosPrincipal.Principal("quillon", realm.Name), ServicePrincipalName.Parse("HTTP/app.wibble.example"),
                TestContext.Current.CancellationToken);
            secrets.Add(ticket.Issued.SessionKey.Bytes.ToArray());
            secrets.Add(ticket.Issued.Ticket.Encoded.ToArray());
            secrets.Add(ticket.Issued.Ticket.EncryptedPart.Cipher.ToArray());
        }
        var path = Path.Combine(Path.GetTempPath(), $"kcd-trace-{Guid.NewGuid():N}.keytab");
        await realm.WriteKeytabAsync("gwzork$", path, TestContext.Current.CancellationToken);
        secrets.AddRange(KeytabReader.Read(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken))
            .Select(entry => entry.Key!.Bytes.ToArray()));
        File.Delete(path);
        secrets.Count.ShouldBeGreaterThan(4);

        var (text, json) = Write(recorder, new TraceNames(isAnonymous: false));

        foreach (var output in new[] { text, json })
        {
            output.ShouldNotContain(Password);
            foreach (var secret in secrets)
                ShouldNotContain(output, secret);
            // Anything that is not a name or a number would be a long run of letters and digits.
            LongRun().Matches(output).Select(match => match.Value).ShouldBeEmpty();
        }
        recorder.GetExchanges().Count.ShouldBe(4);
    }

    [Fact]
    public void Text_of_a_kdc_cannot_control_the_terminal()
    {
        const string Hostile = "\u001b[2Jgone\r\n\u202Eevil\u0007\u200B";
        var error = new KrbError
        {
            ServerTime = DateTimeOffset.UnixEpoch, Code = KerberosErrorCode.Generic, Realm = Hostile, ClientRealm = "EVIL.TEST",
            Service = new PrincipalName(2, ["HTTP", "app"]), Text = Hostile,
        };
        var recorder = new ExchangeRecorder(TimeProvider.System);
        var sent = recorder.StartDispatch(KerberosExchange.LogOn, "EVIL.TEST").StartAttempt(Hostile, 88, isUdp: false)
            .Send(default, new IPEndPoint(IPAddress.Loopback, 88), isUdp: false);
        sent.Receive(error.Encode(), new ReplyContents(), KerberosException.Rejected(Hostile));

        foreach (var isAnonymous in new[] { false, true })
        {
            var (text, json) = Write(recorder, new TraceNames(isAnonymous));
            text.ReplaceLineEndings("").ShouldAllBe(character => !char.IsControl(character));
            foreach (var character in "\u001b\u202E\u0007\u200B")
            {
                text.ShouldNotContain(character.ToString(), Case.Sensitive);
                json.ShouldNotContain(character.ToString(), Case.Sensitive);
            }
            text.Contains("gone", StringComparison.Ordinal).ShouldBe(!isAnonymous);
        }
    }

    public static TheoryData<string> Scenarios =>
        ["ticket", "enterprise", "other target", "unknown user", "unknown service", "wrong password", "no KDC", "another user", "trust",
            "other case", "hidden user", "missing keytab", "no key", "another account's keytab"];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task An_anonymous_transcript_has_none_of_the_names(string scenario)
    {
        await using var other = TestRealm.Start("XYZZY.EXAMPLE")
            .Service("HTTP/far.xyzzy.example", delegatedFrom: ["gwzork$@WIBBLE.EXAMPLE"]);
        await using var realm = StartRealm().Trusts(other);
        other.Trusts(realm);
        var folder = Directory.CreateTempSubdirectory("frobnitz-");
        try
        {
            var keytab = Path.Combine(folder.FullName, "gwzork.keytab");
            await realm.WriteKeytabAsync("gwzork$", keytab, TestContext.Current.CancellationToken);
            string[] account = ["--realm", realm.Name, "--kdc", $"{realm.Endpoint}", "--kdc", $"{other.Name}={other.Endpoint}", "--account",
                "gwzork$", "--anonymous"];
            string[] key = ["--keytab", keytab];
            string[] target = ["--user", "quillon", "--spn", "HTTP/app.wibble.example"];
            switch (scenario)
            {
                case "enterprise":
                    target = ["--user", "quillon.frobnitz@wibble.example", "--spn", "HTTP/app.wibble.example"];
                    break;
                case "other target":
                    target = ["--user", "quillon", "--spn", "HTTP/frobnitz.wibble.example:8443"];
                    break;
                case "unknown user":
                    target = ["--user", "mallorix", "--spn", "HTTP/app.wibble.example"];
                    break;
                case "unknown service":
                    target = ["--user", "quillon", "--spn", "zephyraclass/mallorix.wibble.example/xyzzy"];
                    break;
                case "wrong password":
                    await File.WriteAllTextAsync(keytab, "wrong", TestContext.Current.CancellationToken);
                    if (!OperatingSystem.IsWindows())
                        File.SetUnixFileMode(keytab, UnixFileMode.UserRead);
                    key = ["--password-file", keytab];
                    break;
                case "no KDC":
                    account[3] = "xyzzy.frobnitz.invalid";
                    break;
                case "another user":
                    realm.Fail(KdcFault.TicketOfAnotherUser("mallorix"), KerberosExchange.S4U2Self);
                    break;
                case "hidden user":
                    realm.Fail(KdcFault.HiddenUser("mallorix"), KerberosExchange.S4U2Self);
                    break;
                case "trust":
                    target = ["--user", "quillon", "--spn", "HTTP/far.xyzzy.example"];
                    break;
                case "other case":
                    account[1] = "wibble.example";
                    break;
                case "missing keytab":
                    File.Delete(keytab);
                    break;
                case "another account's keytab":
                    account[account.IndexOf("gwzork$")] = "xyzzy";
                    break;
                case "no key":
                    realm.RollKeys("gwzork$", keepOldKeys: false);
                    break;
                default:
                    scenario.ShouldBe("ticket");
                    break;
            }

            var text = await Kcd.RunAsync(["trace", .. account, .. key, .. target]);
            var json = await Kcd.RunAsync(["trace", .. account, .. key, .. target, "--json"]);

            if (scenario == "missing keytab")
            {
                text.ExitCode.ShouldBe(ExitCode.WrongUsage, "a missing file is found before any exchange");
                return;
            }
            text.ExitCode.ShouldNotBe(ExitCode.WrongUsage, text.Error);
            text.Output.ShouldContain("USER1");
            foreach (var output in new[] { text.Output, text.Error, json.Output, json.Error })
            {
                foreach (var name in s_names)
                    output.ShouldNotContain(name, Case.Insensitive, $"the transcript of \"{scenario}\" has a name");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_same_name_is_always_replaced_by_the_same_word()
    {
        var names = new TraceNames(isAnonymous: true);

        names.Show(new PrincipalName(1, ["quillon"])).ShouldBe("USER1");
        names.Show(new PrincipalName(1, ["gwzork$"])).ShouldBe("USER2");
        names.Show(new PrincipalName(2, ["HTTP", "app.wibble.example"])).ShouldBe("HTTP/HOST1");
        names.Show(new PrincipalName(2, ["HTTP", "app.wibble.example:8443"])).ShouldBe("HTTP/HOST1:8443");
        names.Show(new PrincipalName(2, ["MSSQLSvc", "db.wibble.example:xyzzy"])).ShouldBe("MSSQLSvc/HOST2:INSTANCE1");
        names.Show(new PrincipalName(2, ["zephyra", "app.wibble.example"])).ShouldBe("SERVICE1/HOST1");
        names.Show(PrincipalName.TicketGranting("WIBBLE.EXAMPLE")).ShouldBe("krbtgt/REALM1");
        names.Show(new PrincipalName(10, ["Quillon@wibble.example"])).ShouldBe("user1@realm1");
        names.ShowText("quillon (gwzork) used app at WIBBLE, S-1, quillons and mapping; app.wibble.example:88")
            .ShouldBe("USER1 (USER2) used HOST1 at REALM1, S-1, USER1s and mapping; HOST1:88");
    }

    [Fact]
    public void A_text_of_a_kdc_is_kept_only_if_it_is_known_to_name_nothing()
    {
        var names = new TraceNames(isAnonymous: true);
        var text = $"Client mallorix not found, {new string('x', 400)} mallorix";

        names.ShowKdcText("NOT_ALLOWED_TO_DELEGATE").ShouldBe("NOT_ALLOWED_TO_DELEGATE");
        names.ShowKdcText(text).ShouldBe("TEXT1");
        names.ShowText($"the KDC says \"{text}\"").ShouldBe("the KDC says \"TEXT1\"");
        names.ShowText($"the KDC says \"{text[..100]}…\"; mallorix").ShouldBe("the KDC says \"TEXT1…");
    }

    private static TestRealm StartRealm() => TestRealm.Start("WIBBLE.EXAMPLE")
        .User("quillon", userPrincipalName: "quillon.frobnitz@wibble.example")
        .Account("gwzork$", mayDelegateTo: ["HTTP/app.wibble.example"], password: Password)
        .Service("HTTP/app.wibble.example")
        .Service("HTTP/frobnitz.wibble.example");

    private static (string Text, string Json) Write(ExchangeRecorder recorder, TraceNames names)
    {
        TraceResult.FromRecords(recorder, ticket: null, failure: null, names);
        var result = TraceResult.FromRecords(recorder, ticket: null, failure: null, names);
        using var text = new StringWriter();
        using var json = new StringWriter();
        result.WriteText(new OutputStream(text, Width: null));
        result.WriteJson(json);
        return (text.ToString(), json.ToString());
    }

    private static void ShouldNotContain(string output, byte[] secret)
    {
        // Eight bytes of a secret are enough: no part of it may occur.
        for (var i = 0; i + 8 <= secret.Length; i++)
        {
            var part = secret.AsSpan(i, 8);
            output.ShouldNotContain(Convert.ToHexString(part), Case.Insensitive);
            output.ShouldNotContain(Convert.ToBase64String(part)[..9], Case.Sensitive);
        }
    }

    [GeneratedRegex("[A-Za-z0-9+/=]{28,}", RegexOptions.NonBacktracking)]
    private static partial Regex LongRun();
}
