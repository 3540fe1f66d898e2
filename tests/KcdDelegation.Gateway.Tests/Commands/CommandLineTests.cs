using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KcdDelegation.Gateway.Tests.Sessions;

namespace KcdDelegation.Gateway.Tests.Commands;

public sealed class CommandLineTests
{
    private static readonly Regex s_time = new(@"\d\d:\d\d:\d\dZ", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    [Fact]
    public async Task Help_describes_the_command_and_succeeds()
    {
        var (code, output) = await RunAsync("--help");

        code.ShouldBe(0);
        output.ShouldContain("Kerberos-protected applications");
        output.ShouldContain("--check");
    }

    [Theory]
    [InlineData]
    [InlineData("--confg", "gateway.json")]
    [InlineData("--config")]
    [InlineData("[suggest]")]
    public async Task Wrong_arguments_end_with_2(params string[] arguments) => (await RunAsync(arguments)).Code.ShouldBe(2);

    [Fact]
    public async Task Settings_that_cannot_be_read_end_with_2()
    {
        var (code, output) = await RunAsync("--config", "/absent/gateway.json", "--check");

        code.ShouldBe(2);
        output.ShouldContain("/absent/gateway.json cannot be read");
    }

    [Theory]
    [InlineData("--check")]
    [InlineData]
    public async Task Wrong_settings_end_with_2_and_name_every_key(params string[] more)
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Settings["Listner"] = 1;
        gateway.Settings["Kcd"]!["Relm"] = "X";
        gateway.WriteSettings();

        var (code, output) = await RunAsync(["--config", gateway.SettingsPath, .. more]);

        code.ShouldBe(2);
        output.ShouldContain("Listner is not a known setting");
        output.ShouldContain("Kcd:Relm is not a known setting");
    }

    [Fact]
    public async Task A_check_without_a_fault_names_what_it_has_checked()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.WriteCertificate("CN=first", -1, 90);
        var end = TimeProvider.System.GetUtcNow().AddDays(90);

        var (code, output) = await CheckAsync(gateway);

        s_time.Replace(output, "TIME").Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
        [
            $"ok      the settings of {gateway.SettingsPath}",
            $"ok      the certificate {gateway.CertificatePath} for *.contoso.test, which is valid until {end:yyyy-MM-dd} TIME",
            "ok      the identity provider test",
            "ok      the account gateway of CONTOSO.TEST",
            $"ok      the address {gateway.Backend.Url.AbsoluteUri} of erp",
            $"ok      the address {gateway.Wiki.Url.AbsoluteUri} of wiki",
        ]);
        code.ShouldBe(0);
    }

    [Fact]
    public async Task A_check_reports_an_application_that_does_not_answer()
    {
        await using var gateway = await TestGateway.CreateAsync();
        await gateway.Wiki.DisposeAsync();

        var (code, output) = await CheckAsync(gateway);

        code.ShouldBe(3);
        output.ShouldContain("failed  the address");
        output.ShouldContain("of wiki: It does not answer");
    }

    [Fact]
    public async Task A_check_reports_a_folder_that_cannot_be_written_and_leaves_no_file_in_one()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var state = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(gateway.SettingsPath)!, "state")).FullName;
        gateway.Settings["State"] = state;
        using (new ReadOnlyFolder(state))
        {
            var (code, output) = await CheckAsync(gateway);

            code.ShouldBe(1);
            output.ShouldContain($"failed  the folder {state} of State: It cannot be written");
        }

        (await CheckAsync(gateway)).Code.ShouldBe(0);
        Directory.GetFileSystemEntries(state).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_check_reports_an_identity_provider_that_does_not_answer()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.Issuer.IsDown = true;

        var (code, output) = await CheckAsync(gateway);

        code.ShouldBe(3);
        output.ShouldContain("failed  the identity provider test");
        output.ShouldContain("IdentityProviders:test:Token:Authority");
    }

    [Fact]
    public async Task A_check_reports_a_wrong_account_over_a_missing_answer()
    {
        await using var gateway = await TestGateway.CreateAsync();
        await gateway.Wiki.DisposeAsync();
        gateway.Settings["Kcd"]!["ServiceAccount"]!["Name"] = "ghost";

        var (code, output) = await CheckAsync(gateway);

        code.ShouldBe(1);
        output.ShouldContain("failed  the account ghost of CONTOSO.TEST");
        output.ShouldContain("Remedy:");
    }

    [Theory]
    [InlineData(-10, 31, "ok      the certificate {0} for *.contoso.test, which is valid until ", 0)]
    [InlineData(-10, 29, "warning the certificate {0} for *.contoso.test: It ends at ", 0)]
    [InlineData(-10, -1, "failed  the certificate {0} for *.contoso.test: It ended at ", 1)]
    [InlineData(1, 90, "failed  the certificate {0} for *.contoso.test: It is valid from ", 1)]
    public async Task A_check_names_the_hosts_of_a_certificate_and_its_end(int start, int end, string expected, int code)
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.WriteCertificate("CN=erp", start, end);

        var (result, output) = await CheckAsync(gateway);

        result.ShouldBe(code);
        output.ShouldContain(string.Format(CultureInfo.InvariantCulture, expected, gateway.CertificatePath));
    }

    [Fact]
    public async Task A_check_reports_a_key_of_another_certificate_by_its_setting()
    {
        await using var gateway = await TestGateway.CreateAsync();
        var key = await File.ReadAllTextAsync(gateway.KeyPath, TestContext.Current.CancellationToken);
        gateway.WriteCertificate("CN=other");
        await File.WriteAllTextAsync(gateway.KeyPath, key, TestContext.Current.CancellationToken);

        var (code, output) = await CheckAsync(gateway);

        code.ShouldBe(2);
        output.ShouldContain("Listener:Certificates:0");
    }

    [Fact]
    public async Task A_check_reports_a_host_that_no_certificate_names()
    {
        await using var gateway = await TestGateway.CreateAsync();
        gateway.WriteCertificate("CN=erp", "erp.contoso.test");

        var (code, output) = await CheckAsync(gateway);

        code.ShouldBe(1);
        output.ShouldContain("failed  the certificate for wiki.contoso.test");
        output.ShouldNotContain("the certificate for erp");
    }

    [Fact]
    public async Task An_address_that_is_in_use_ends_with_1_and_names_the_setting()
    {
        await using var gateway = await TestGateway.StartAsync();
        await using var second = await TestGateway.CreateAsync();
        second.Settings["Listener"]!["Urls"] = new JsonArray($"https://127.0.0.1:{gateway.Port}");
        second.WriteSettings();

        var (code, output) = await RunAsync("--config", second.SettingsPath);

        code.ShouldBe(1);
        output.ShouldContain("Listener:Urls");
        // Background work that ends with the start is not one of its reasons.
        output.ShouldNotContain("BackgroundService");
    }

    private static Task<(int Code, string Output)> CheckAsync(TestGateway gateway)
    {
        gateway.WriteSettings();
        return RunAsync("--config", gateway.SettingsPath, "--check");
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        var code = await GatewayCommandLine.RunAsync(arguments, output, output, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
