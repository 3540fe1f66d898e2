using System.Text.Json;
using KcdDelegation.Testing;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class MapCommandTests
{
    [Fact]
    public async Task A_valid_token_is_mapped_to_the_identity_that_would_be_delegated()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var token = gateway.WriteSecret("token", Token(issuer) + "\n");

        var run = await Kcd.RunAsync("map", "--config", Configure(gateway, issuer), "--app", "erp", "--token", token);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldBeEmpty();
        run.Output.ShouldContain("identity        ada");
        run.Output.ShouldContain("name type       principal");
        run.Output.ShouldContain("realm           CONTOSO.TEST");
        run.Output.ShouldContain("application     erp (HTTP/app)");
        gateway.Realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_token_is_read_from_standard_input_with_or_without_its_scheme()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

        var run = await Kcd.RunWithInputAsync($"Bearer {Token(issuer)}", "map", "--config", Configure(gateway, issuer), "--app", "erp",
            "--token", "-", "--json");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        run.Json.GetProperty("name").GetString().ShouldBe("ada");
        run.Json.GetProperty("nameType").GetString().ShouldBe("principal");
        run.Json.GetProperty("loginIdentity").GetString().ShouldBe("OnPremisesSamAccountName");
    }

    [Theory]
    [InlineData(TokenFlaw.Expired)]
    [InlineData(TokenFlaw.WrongAudience)]
    public async Task An_invalid_token_is_refused_in_the_identity_stage_and_not_shown(TokenFlaw flaw)
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var token = issuer.CreateBadToken(flaw);

        var run = await Kcd.RunWithInputAsync(token, "map", "--config", Configure(gateway, issuer), "--app", "erp", "--token", "-");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldStartWith("kcd: refused");
        run.Error.ShouldContain("stage   identity");
        run.Error.ShouldContain("remedy  ");
        run.Error.ShouldNotContain(token);
    }

    [Fact]
    public async Task A_token_without_the_configured_login_identity_is_refused()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

        var run = await Kcd.RunWithInputAsync(issuer.CreateToken("ada@contoso.test"), "map", "--config", Configure(gateway, issuer),
            "--app", "erp", "--token", "-");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Error.ShouldContain("event   13016");
    }

    [Fact]
    public async Task An_issuer_that_does_not_answer_is_not_reported_as_a_refusal()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        issuer.IsDown = true;

        var run = await Kcd.RunWithInputAsync(Token(issuer), "map", "--config", Configure(gateway, issuer), "--app", "erp", "--token", "-");

        run.ExitCode.ShouldBe(ExitCode.NoAnswer);
        run.Error.ShouldContain("kcd: no answer");
    }

    [Fact]
    public async Task An_application_that_is_not_configured_is_wrong_usage()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

        var run = await Kcd.RunWithInputAsync("token", "map", "--config", Configure(gateway, issuer), "--app", "crm", "--token", "-");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("Configured applications: erp");
    }

    [Fact]
    public async Task Invalid_settings_are_listed()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret(
            "appsettings.json", """{ "Kcd": { "Applications": { "erp": { "ServicePrincipalName": "erp" } } } }""");

        var run = await Kcd.RunWithInputAsync("token", "map", "--config", config, "--app", "erp", "--token", "-");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("The settings are not valid:");
        run.Error.ShouldContain("Kcd:Applications:erp:ServicePrincipalName");
    }

    [Fact]
    public async Task A_token_that_cannot_be_read_is_wrong_usage()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var config = Configure(gateway, issuer);

        var missing = await Kcd.RunAsync("map", "--config", config, "--app", "erp", "--token", gateway.GetPath("none"));
        var empty = await Kcd.RunAsync("map", "--config", config, "--app", "erp", "--token", "-");

        missing.ExitCode.ShouldBe(ExitCode.WrongUsage);
        missing.Error.ShouldContain("--token: The file does not exist.");
        empty.ExitCode.ShouldBe(ExitCode.WrongUsage);
        empty.Error.ShouldContain("standard input is empty");
    }

    [Theory]
    [InlineData("eyJhbGciOiJub25lIn0.e30.c2VjcmV0")]
    [InlineData("eyJhbGciOiJub25lIn0")]
    public async Task A_token_in_the_position_of_its_file_is_not_shown(string token)
    {
        await using var gateway = await Gateway.StartAsync();
        await using var issuer = await TestIssuer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

        var run = await Kcd.RunAsync("map", "--config", Configure(gateway, issuer), "--app", "erp", "--token", token, "--json");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("--token: The file ");
        run.Error.ShouldNotContain("eyJ");
        run.Output.ShouldNotContain("eyJ");
    }

    [Fact]
    public async Task All_missing_options_are_named_in_one_message()
    {
        var run = await Kcd.RunAsync("map");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("--config FILE");
        run.Error.ShouldContain("--app NAME");
        run.Error.ShouldContain("--token FILE");
    }

    private static string Token(TestIssuer issuer) =>
        issuer.CreateToken("ada@contoso.test", new Dictionary<string,
            object?>(StringComparer.Ordinal) { ["onprem_sam_account_name"] = "ada" });

    private static string Configure(Gateway gateway, TestIssuer issuer) => gateway.WriteSecret("appsettings.json",
        JsonSerializer.Serialize(new
    {
        Kcd = new
        {
            Realm = gateway.Realm.Name,
            Kdcs = new[] { gateway.Realm.Endpoint.ToString() },
            ServiceAccount = new { Name = "gw", gateway.Keytab },
            Token = new { issuer.Authority, Audience = TestIssuer.DefaultAudience, issuer.TenantId },
            Applications = new
            {
                erp = new { InternalUrl = "https://erp.contoso.test/", ServicePrincipalName = "HTTP/app",
                    LoginIdentity = "OnPremisesSamAccountName" },
            },
        },
    }));
}
