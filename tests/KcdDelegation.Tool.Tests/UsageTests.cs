using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class UsageTests
{
    private static readonly string[] Ticket = ["ticket", "--realm", "R.TEST", "--account", "gw", "--keytab", "k", "--user", "ada",
        "--spn", "HTTP/app"];

    public static TheoryData<string, string> Wrong => new()
    {
        { "", "A command is required" },
        { "tikcet", "tikcet" },
        { "ticket", "--user USER" },
        { "ticket --realm R.TEST --account gw --keytab k --user ada --spn app", "--spn: The text is not a service principal name" },
        { "ticket --account gw --keytab k --user ada --spn HTTP/app", "specify --realm REALM, or --config FILE with Kcd:Realm" },
        { "ticket --realm R.TEST --keytab k --user ada --spn HTTP/app", "--account NAME" },
        { "ticket --realm R.TEST --account gw --keytab k --user ada", "specify --spn SPN, or --app NAME with --config FILE" },
        { "header --realm R.TEST --account gw --keytab k --user ada --app erp", "specify --config FILE" },
        { "ticket --realm R.TEST --account gw --user ada --spn HTTP/app", "--keytab FILE or --password-file FILE" },
        { "ticket --realm R.TEST --account gw@R.TEST --keytab k --user ada --spn HTTP/app", "without its realm" },
        { "ticket --realm R/T --account gw --keytab k --user ada --spn HTTP/app", "--realm" },
        { "ticket --realm R.TEST --account gw --keytab k --user ada --spn krbtgt/R.TEST",
            "--spn: The service principal name belongs to the KDC" },
        { "header --realm R.TEST --account gw --keytab k --user ada --spn KADMIN/changepw", "belongs to the KDC itself" },
        { "inspect", "The argument TOKEN|- is required." },
        { "purge --user ada", "--socket" },
        { "purge --socket s", "one of --user, --app and --all" },
        { "purge --socket s --user ada --all", "one of --user, --app and --all" },
        { "purge --socket s --app erp --sessions", "--sessions with --user or --all" },
    };

    public static TheoryData<string, string> WrongBeyondTicket => new()
    {
        { "--password-file p", "--keytab and --password-file cannot be combined" },
        { "--kdc =host", "The text before \"=\" is not a realm" },
        { "--kdc host:99999", "is not a KDC endpoint" },
        { "--name-type sid", "The value must be enterprise or principal." },
        { "--name-type 1", "The value must be enterprise or principal." },
        { "--ccache KEYRING:x", "Only a credential cache file is supported" },
        { "--ccache FILE:", "Only a credential cache file is supported" },
        { "--config /nowhere/appsettings.json", "does not exist" },
        { "--nonsense", "--nonsense" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Wrong_usage_exits_2_with_an_explanation(string commandLine, string expected)
    {
        var run = await Kcd.RunAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [MemberData(nameof(WrongBeyondTicket))]
    public async Task A_wrong_option_exits_2_with_an_explanation(string option, string expected)
    {
        var run = await Kcd.RunAsync([.. Ticket, .. option.Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [InlineData("--user ada@r.test --name-type principal", "--user-realm REALM")]
    [InlineData("--user ada --user-realm R\u0007T", "--user-realm")]
    public async Task An_invalid_user_name_exits_2(string user, string expected)
    {
        var run = await Kcd.RunAsync(["ticket", "--realm", "R.TEST", "--account", "gw", "--keytab", "k", "--spn", "HTTP/app",
            .. user.Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        run.Error.ShouldNotContain("\u0007");
    }

    [Theory]
    [InlineData("{ \"Kcd\": ", "cannot be read")]
    [InlineData("{ \"Other\": 1 }", "no section \"Kcd\"")]
    [InlineData("{ \"Kcd\": { \"Realm\": \"R.TEST\", \"Kdcs\": [ \"a b\" ] } }", "Kcd:Kdcs:0 \"a b\" is not a KDC")]
    [InlineData("{ \"Kcd\": { \"Token\": { \"AllowGuests\": \"maybe\" } } }",
        "Kcd:Token:AllowGuests \"maybe\" is not true or false. Write true or false.")]
    [InlineData("{ \"Kcd\": { \"Relm\": \"R.TEST\" } }", "Kcd:Relm is not a known setting. The nearest known setting is Realm.")]
    [InlineData("{ \"Kcd\": { \"MaxTicketAge\": \"30\", \"Kdcs\": \"dc1\" } }", "Kcd:Kdcs has a value, but it is a list.")]
    [InlineData("{ \"Kcd\": { \"Realms\": { \"b.test\": { \"Kdcs\": [ \"dc1\" ] } } } }", "Write B.TEST")]
    [InlineData("{ \"Kcd\": { \"TicketTimeout\": \"9.00:00:00\" } }", "Kcd:TicketTimeout \"9.00:00:00\" is outside of the range")]
    [InlineData(
        "{ \"Kcd\": { \"Realms\": { \"A\": { \"UserPrincipalSuffixes\": [ \"x.test\" ] }, \"B\": { \"UserPrincipalSuffixes\": [ "
            + "\"x.test\" ] } } } }",
        "one realm only")]
    public async Task A_file_of_settings_that_cannot_be_used_exits_2(string content, string expected)
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", content);

        var run = await Kcd.RunAsync([.. Ticket, "--config", config]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
    }

    [Fact]
    public async Task A_password_is_not_read_from_a_terminal()
    {
        await using var error = new StringWriter();
        using var input = new MemoryStream("secret"u8.ToArray());
        var terminal = new Streams(input, new OutputStream(TextWriter.Null, Width: null), new OutputStream(error,
            Width: null)) { InputIsTerminal = true };

        var code = await KcdCommandLine.RunAsync(
            ["ticket", "--realm", "R.TEST", "--account", "gw", "--password-file", "-", "--user", "ada", "--spn", "HTTP/app"], terminal,
                TestContext.Current.CancellationToken);

        code.ShouldBe((int)ExitCode.WrongUsage);
        error.ToString().ShouldContain("from a pipe or a file");
        input.Position.ShouldBe(0);
    }

    [Theory]
    [InlineData("", "no password")]
    [InlineData("\n", "no password")]
    [InlineData("\uFFFD", null)]
    public async Task An_empty_password_is_wrong_usage(string input, string? expected)
    {
        var run = await Kcd.RunWithInputAsync(
            input, "ticket", "--realm", "R.TEST", "--kdc", "127.0.0.1:1", "--account", "gw", "--password-file", "-", "--user", "ada",
                "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(expected is null ? ExitCode.NoAnswer : ExitCode.WrongUsage);
        run.Error.ShouldContain(expected ?? "127.0.0.1:1");
    }

    [Theory]
    [InlineData("ticket")]
    [InlineData("demo")]
    [InlineData("map")]
    [InlineData("header")]
    [InlineData("inspect")]
    [InlineData("purge")]
    public async Task The_help_of_every_command_has_examples(string command)
    {
        var run = await Kcd.RunAsync(command, "--help");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Error.ShouldBeEmpty();
        run.Output.ShouldContain("Examples:");
        run.Output.ShouldContain($"  kcd {command} ");
        run.Output.ShouldContain("Exit codes: 0 success, 1 refused, 2 wrong usage, 3 no answer");
        run.Output.ShouldContain("130 interrupted");
    }

    [Theory]
    [InlineData("tikcet --json", "tikcet")]
    [InlineData("ticket --json --user ada --nonsense", "--nonsense")]
    [InlineData("ticket --json --realm R.TEST --account gw --keytab k --user ada", "specify --spn SPN")]
    [InlineData("inspect Hawk abc --json", "must be Negotiate")]
    public async Task Wrong_usage_is_json_if_json_was_requested(string commandLine, string expected)
    {
        var run = await Kcd.RunAsync(commandLine.Split(' '));

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        var error = run.Json.GetProperty("error");
        error.GetProperty("stage").GetString().ShouldBe("usage");
        error.GetProperty("cause").GetString()!.ShouldContain(expected);
        error.GetProperty("remedy").GetString()!.ShouldContain("--help");
    }

    [Theory]
    [InlineData("ticket")]
    [InlineData("header")]
    public async Task All_missing_options_are_named_in_one_message(string command)
    {
        var run = await Kcd.RunAsync(command);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        foreach (var option in new[] { "--user USER", "--spn SPN", "--realm REALM", "--account NAME", "--keytab FILE or --password-file "
            + "FILE" })
            run.Error.ShouldContain(option);
    }

    [Theory]
    [InlineData("ticket --password-file correct hunter2")]
    [InlineData("ticket --password hunter2")]
    [InlineData("ticket --password=hunter2")]
    [InlineData("ticket --password:hunter2")]
    [InlineData("ticket --password-file a --password-file hunter2")]
    [InlineData("ticket --json=hunter2")]
    [InlineData("ticket --verbose hunter2")]
    [InlineData("ticket --user ada -- hunter2")]
    [InlineData("ticket -phunter2")]
    [InlineData("header --keytab k hunter2")]
    [InlineData("map --token eyJ hunter2")]
    [InlineData("demo hunter2")]
    [InlineData("tikcet hunter2")]
    [InlineData("--password-file hunter2")]
    [InlineData("[diagram] ticket --password-file hunter2")]
    [InlineData("[suggest:22] ticket --password-file hunter2")]
    public async Task An_argument_that_can_be_a_secret_is_not_shown(string commandLine)
    {
        var run = await Kcd.RunAsync([.. commandLine.Split(' '), "--json"]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldNotBeEmpty();
        run.Error.ShouldNotContain("hunter2");
        run.Output.ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_user_name_that_begins_with_an_at_sign_does_not_name_a_response_file()
    {
        await using var gateway = await Gateway.StartAsync();
        var file = gateway.WriteSecret("response", "ada");

        var run = await gateway.RunAsync("ticket", "--user", $"@{file}", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        gateway.Realm.Transcript.ShouldNotContain(line => line.StartsWith("SELF ada", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_response_file_is_not_read_in_the_position_of_an_argument()
    {
        await using var gateway = await Gateway.StartAsync();
        var file = gateway.WriteSecret("response", "--user ada --spn HTTP/app");

        var run = await gateway.RunAsync("ticket", $"@{file}");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("unexpected arguments");
    }

    [Theory]
    [InlineData("[suggest]")]
    [InlineData("[diagram]")]
    [InlineData("[env:KRB5_CONFIG=x]")]
    public async Task Directives_are_not_part_of_the_syntax(string directive)
    {
        var run = await Kcd.RunAsync(directive, "demo");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task Short_options_are_not_bundled()
    {
        var run = await Kcd.RunAsync("demo", "-vh");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("Unknown option: -v…");
    }

    [Fact]
    public async Task A_path_with_control_characters_is_shown_as_code_points()
    {
        var run = await Kcd.RunAsync([.. Ticket, "--config", "/nowhere/\u001b[31m"]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldNotContain("\u001b");
        run.Error.ShouldContain("<U+001B>");
    }

    [Fact]
    public async Task The_version_is_a_result()
    {
        var run = await Kcd.RunAsync("--version");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Output.ShouldStartWith(typeof(KcdCommandLine).Assembly.GetName().Version!.ToString(3));
    }
}
