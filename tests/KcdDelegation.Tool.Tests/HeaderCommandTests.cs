using System.Text.Json;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class HeaderCommandTests
{
    [Theory]
    [InlineData("kerberos", NegotiateTokenKind.Kerberos)]
    [InlineData("spnego", NegotiateTokenKind.SpnegoKerberos)]
    public async Task Standard_output_contains_the_value_only(string format, NegotiateTokenKind kind)
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("header", "--user", "ada", "--spn", "HTTP/app", "--format", format);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldBeEmpty();
        run.Output.ShouldStartWith("Negotiate YII");
        run.Output.TrimEnd().ShouldNotContain('\n');
        NegotiateToken.TryParse(run.Output, out var token).ShouldBeTrue();
        token!.Kind.ShouldBe(kind);
    }

    [Fact]
    public async Task Raw_kerberos_is_the_default()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("header", "--user", "ada", "--spn", "HTTP/app", "--json");

        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        run.Json.GetProperty("format").GetString().ShouldBe("kerberos");
        run.Json.GetProperty("user").GetString().ShouldBe("ada@CONTOSO.TEST");
        NegotiateToken.TryParse(run.Json.GetProperty("value").GetString(), out var token).ShouldBeTrue();
        token!.Kind.ShouldBe(NegotiateTokenKind.Kerberos);
    }

    [Theory]
    [InlineData("kerberos")]
    [InlineData("spnego")]
    public async Task Inspect_recognizes_the_printed_header(string format)
    {
        await using var gateway = await Gateway.StartAsync();
        var header = await gateway.RunAsync("header", "--user", "ada", "--spn", "HTTP/app", "--format", format);

        var run = await Kcd.RunWithInputAsync(header.Output, "inspect", "-");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("This is Kerberos.");
        run.Output.Contains("Kerberos 5 (1.2.840.113554.1.2.2)", StringComparison.Ordinal).ShouldBe(format == "spnego");
    }

    [Fact]
    public async Task Nothing_is_printed_for_a_user_who_must_not_be_delegated()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("header", "--user", "chief", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain("stage   ");
    }

    [Theory]
    [InlineData("Spnego", null, "spnego")]
    [InlineData("Kerberos", null, "kerberos")]
    [InlineData("Auto", null, "kerberos")]
    [InlineData("Spnego", "kerberos", "kerberos")]
    public async Task The_format_of_the_application_applies_unless_the_option_is_specified(string configured, string? given,
        string expected)
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", JsonSerializer.Serialize(new
        {
            Kcd = new
            {
                Realm = gateway.Realm.Name,
                Kdcs = new[] { gateway.Realm.Endpoint.ToString() },
                ServiceAccount = new { Name = "gw", gateway.Keytab },
                Applications = new
                {
                    app = new { InternalUrl = "https://app.contoso.test/", ServicePrincipalName = "HTTP/app", TokenFormat = configured },
                },
            },
        }));
        string[] format = given is null ? [] : ["--format", given];

        var run = await Kcd.RunAsync(["header", "--config", config, "--app", "app", "--user", "ada", "--json", .. format]);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Json.GetProperty("format").GetString().ShouldBe(expected);
    }

    [Fact]
    public async Task An_unknown_format_is_wrong_usage()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("header", "--user", "ada", "--spn", "HTTP/app", "--format", "ntlm");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("--format: The value must be kerberos or spnego.");
    }
}
