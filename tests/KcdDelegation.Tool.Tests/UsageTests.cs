using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class UsageTests
{
    private static readonly string[] Ticket = ["ticket", "--realm", "R.TEST", "--account", "gw", "--keytab", "k", "--user", "ada", "--spn", "HTTP/app"];

    public static TheoryData<string, string> Wrong => new()
    {
        { "", "Required command" },
        { "tikcet", "tikcet" },
        { "ticket", "--user" },
        { "ticket --realm R.TEST --account gw --keytab k --user ada --spn app", "--spn: Not a service principal name" },
        { "ticket --account gw --keytab k --user ada --spn HTTP/app", "give --realm REALM, or --config FILE with Kcd:Realm" },
        { "ticket --realm R.TEST --keytab k --user ada --spn HTTP/app", "--account NAME" },
        { "ticket --realm R.TEST --account gw --keytab k --user ada", "give --spn SPN, or --app NAME with --config FILE" },
        { "header --realm R.TEST --account gw --keytab k --user ada --app erp", "give --config FILE too" },
        { "ticket --realm R.TEST --account gw --user ada --spn HTTP/app", "--keytab FILE or --password-file FILE" },
        { "ticket --realm R.TEST --account gw@R.TEST --keytab k --user ada --spn HTTP/app", "without its realm" },
        { "ticket --realm R/T --account gw --keytab k --user ada --spn HTTP/app", "Realm" },
        { "inspect", "Required argument" },
    };

    public static TheoryData<string, string> WrongBeyondTicket => new()
    {
        { "--password-file p", "one of the two" },
        { "--kdc =host", "no realm before the =" },
        { "--kdc host:99999", "Not a KDC" },
        { "--name-type sid", "enterprise or principal" },
        { "--name-type 1", "enterprise or principal" },
        { "--ccache KEYRING:x", "credential cache in a file" },
        { "--ccache FILE:", "credential cache in a file" },
        { "--config /nowhere/appsettings.json", "does not exist" },
        { "--nonsense", "--nonsense" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task Wrong_usage_exits_2_and_says_what_is_wrong(string commandLine, string expected)
    {
        var run = await Kcd.RunAsync(commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [MemberData(nameof(WrongBeyondTicket))]
    public async Task A_wrong_option_exits_2_and_says_what_is_wrong(string option, string expected)
    {
        var run = await Kcd.RunAsync([.. Ticket, .. option.Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain(expected);
    }

    [Theory]
    [InlineData("--user ada@r.test --name-type principal", "--user-realm REALM")]
    [InlineData("--user ada --user-realm R\u0007T", "--user-realm")]
    public async Task A_user_that_is_no_name_exits_2(string user, string expected)
    {
        var run = await Kcd.RunAsync(["ticket", "--realm", "R.TEST", "--account", "gw", "--keytab", "k", "--spn", "HTTP/app", .. user.Split(' ')]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        run.Error.ShouldNotContain("\u0007");
    }

    [Theory]
    [InlineData("{ \"Kcd\": ", "cannot be read")]
    [InlineData("{ \"Other\": 1 }", "no section \"Kcd\"")]
    [InlineData("{ \"Kcd\": { \"Realm\": \"R.TEST\", \"Kdcs\": [ \"a b\" ] } }", "not a KDC")]
    [InlineData("{ \"Kcd\": { \"Token\": { \"AllowGuests\": \"maybe\" } } }", "AllowGuests")]
    [InlineData("{ \"Kcd\": { \"Relm\": \"R.TEST\" } }", "Relm")]
    [InlineData("{ \"Kcd\": { \"Realms\": { \"A\": { \"UserPrincipalSuffixes\": [ \"x.test\" ] }, \"B\": { \"UserPrincipalSuffixes\": [ \"x.test\" ] } } } }", "two people")]
    public async Task A_file_of_settings_that_cannot_be_used_exits_2(string content, string expected)
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", content);

        var run = await Kcd.RunAsync([.. Ticket, "--config", config]);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
    }

    [Fact]
    public async Task A_password_is_not_typed_for_all_to_see()
    {
        await using var error = new StringWriter();
        using var input = new MemoryStream("secret"u8.ToArray());
        var terminal = new Streams(input, new OutputStream(TextWriter.Null, Width: null), new OutputStream(error, Width: null)) { InputIsTerminal = true };

        var code = await KcdCommandLine.RunAsync(
            ["ticket", "--realm", "R.TEST", "--account", "gw", "--password-file", "-", "--user", "ada", "--spn", "HTTP/app"], terminal, TestContext.Current.CancellationToken);

        code.ShouldBe((int)ExitCode.WrongUsage);
        error.ToString().ShouldContain("reads a pipe");
        input.Position.ShouldBe(0);
    }

    [Theory]
    [InlineData("", "no password")]
    [InlineData("\n", "no password")]
    [InlineData("\uFFFD", null)]
    public async Task An_empty_password_is_none(string input, string? expected)
    {
        var run = await Kcd.RunWithInputAsync(
            input, "ticket", "--realm", "R.TEST", "--kdc", "127.0.0.1:1", "--account", "gw", "--password-file", "-", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(expected is null ? ExitCode.NoAnswer : ExitCode.WrongUsage);
        run.Error.ShouldContain(expected ?? "127.0.0.1:1");
    }

    [Theory]
    [InlineData("ticket")]
    [InlineData("demo")]
    [InlineData("map")]
    [InlineData("header")]
    [InlineData("inspect")]
    public async Task Every_command_explains_itself_with_examples(string command)
    {
        var run = await Kcd.RunAsync(command, "--help");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Error.ShouldBeEmpty();
        run.Output.ShouldContain("Examples:");
        run.Output.ShouldContain($"  kcd {command} ");
        run.Output.ShouldContain("Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no answer");
        run.Output.ShouldContain("130 interrupted");
    }

    [Theory]
    [InlineData("tikcet --json", "tikcet")]
    [InlineData("ticket --json --user ada --nonsense", "--nonsense")]
    [InlineData("ticket --json --realm R.TEST --account gw --keytab k --user ada", "give --spn SPN")]
    [InlineData("inspect Hawk abc --json", "none of Negotiate")]
    public async Task Wrong_usage_is_json_too_where_json_was_asked_for(string commandLine, string expected)
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

    [Fact]
    public async Task The_version_is_a_result()
    {
        var run = await Kcd.RunAsync("--version");

        run.ExitCode.ShouldBe(ExitCode.Done);
        run.Output.ShouldStartWith(typeof(KcdCommandLine).Assembly.GetName().Version!.ToString(3));
    }
}
