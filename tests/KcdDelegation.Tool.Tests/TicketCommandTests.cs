using System.Globalization;
using System.Text.Json;
using KcdDelegation.Testing;
using KcdDelegation.Tool.Terminal;

namespace KcdDelegation.Tool.Tests;

public sealed class TicketCommandTests
{
    [Fact]
    public async Task A_ticket_is_shown_with_user_service_and_account()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldBeEmpty();
        run.Output.ShouldContain("user          ada@CONTOSO.TEST");
        run.Output.ShouldContain("service       HTTP/app");
        run.Output.ShouldContain("delegated by  gw@CONTOSO.TEST");
        run.Output.ShouldContain("forwardable");
        run.Output.ShouldContain("aes256-cts-hmac-sha1-96");
    }

    [Fact]
    public async Task A_name_with_a_suffix_is_a_user_principal_name()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada.lovelace@contoso.test", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        gateway.Realm.Transcript.ShouldContain(line => line.Contains("SELF ada.lovelace@contoso.test>gw ok", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_without_a_suffix_can_be_sent_as_a_user_principal_name()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--name-type", "enterprise", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Error.ShouldContain("KDC_ERR_C_PRINCIPAL_UNKNOWN (6)");
    }

    [Fact]
    public async Task Json_is_one_object_with_a_version()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app", "--json");

        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        run.Json.GetProperty("user").GetString().ShouldBe("ada@CONTOSO.TEST");
        run.Json.GetProperty("service").GetString().ShouldBe("HTTP/app");
        run.Json.GetProperty("size").GetInt32().ShouldBeGreaterThan(100);
        run.Json.GetProperty("endTime").GetDateTimeOffset().ShouldBeGreaterThan(run.Json.GetProperty("startTime").GetDateTimeOffset());
        run.Json.TryGetProperty("credentialCache", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_target_that_is_not_on_the_delegation_list_is_refused_with_stage_code_cause_and_remedy()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/other");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain("stage   delegation (S4U2Proxy)");
        run.Error.ShouldContain("code    KDC_ERR_BADOPTION (13)");
        run.Error.ShouldContain("realm   CONTOSO.TEST");
        run.Error.ShouldContain("cause   ");
        run.Error.ShouldContain("remedy  ");
    }

    [Theory]
    [InlineData("chief")]
    [InlineData("unknown")]
    public async Task A_user_who_must_not_be_delegated_or_does_not_exist_is_refused(string user)
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", user, "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldContain(user);
        run.Error.ShouldContain("remedy  ");
    }

    [Fact]
    public async Task A_refusal_is_json_if_json_was_requested()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/other", "--json");

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Json.GetProperty("version").GetInt32().ShouldBe(1);
        var error = run.Json.GetProperty("error");
        error.GetProperty("stage").GetString().ShouldBe("delegation");
        error.GetProperty("exchange").GetString().ShouldBe("S4U2Proxy");
        error.GetProperty("code").GetString().ShouldBe("KDC_ERR_BADOPTION");
        error.GetProperty("number").GetInt32().ShouldBe(13);
        error.GetProperty("cause").GetString().ShouldNotBeNullOrEmpty();
        error.GetProperty("remedy").GetString().ShouldNotBeNullOrEmpty();
        error.GetProperty("isTransient").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task A_kdc_that_does_not_answer_is_not_reported_as_a_refusal()
    {
        await using var gateway = await Gateway.StartAsync();
        var stopped = TestRealm.Start();
        var endpoint = stopped.Endpoint.ToString();
        await stopped.DisposeAsync();

        var run = await Kcd.RunAsync(
            "ticket", "--realm", "CONTOSO.TEST", "--kdc", endpoint, "--account", "gw", "--keytab", gateway.Keytab, "--user", "ada",
                "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.NoAnswer);
        run.Error.ShouldContain("kcd: no answer");
        run.Error.ShouldContain(endpoint);
    }

    [Fact]
    public async Task The_credential_cache_is_readable_by_its_owner_only()
    {
        await using var gateway = await Gateway.StartAsync();
        var cache = gateway.GetPath("ada.ccache");

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app", "--ccache", $"FILE:{cache}");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain($"cache         {cache}");
        // The version of the format, big-endian.
        (await File.ReadAllBytesAsync(cache, TestContext.Current.CancellationToken))[..2].ShouldBe([0x05, 0x04]);
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(cache).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_credential_cache_that_cannot_be_written_is_an_error_with_a_remedy()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app", "--ccache", gateway.GetPath("missing/ada.ccache"));

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Error.ShouldContain("stage   file");
        run.Error.ShouldContain("missing");
    }

    [Fact]
    public async Task A_password_comes_through_standard_input()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await Kcd.RunWithInputAsync(
            Gateway.Password + "\n",
            "ticket", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw", "--password-file", "-",
                "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Fact]
    public async Task A_password_comes_from_a_file_and_a_wrong_one_is_refused_at_the_log_on()
    {
        await using var gateway = await Gateway.StartAsync();
        var right = gateway.WriteSecret("right", Gateway.Password);
        var wrong = gateway.WriteSecret("wrong", "not " + Gateway.Password);
        string[] arguments = ["ticket", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw",
            "--user", "ada", "--spn", "HTTP/app"];

        var done = await Kcd.RunAsync([.. arguments, "--password-file", right]);
        var refused = await Kcd.RunAsync([.. arguments, "--password-file", wrong]);

        done.ExitCode.ShouldBe(ExitCode.Done, done.Error);
        refused.ExitCode.ShouldBe(ExitCode.Refused);
        refused.Error.ShouldContain("(LogOn)");
        refused.Error.ShouldContain("KDC_ERR_PREAUTH_FAILED (24)");
        refused.Error.ShouldNotContain(Gateway.Password);
    }

    [Fact]
    public async Task A_key_file_that_other_users_can_read_causes_a_warning()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows files have no mode.");
            return;
        }
        await using var gateway = await Gateway.StartAsync();
        File.SetUnixFileMode(gateway.Keytab, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Error.ShouldContain("kcd: warning 2003: ");
        run.Error.ShouldContain(gateway.Keytab);
    }

    [Fact]
    public async Task Verbose_shows_the_engines_log_on_standard_error()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada", "--spn", "HTTP/app", "--verbose");

        run.Error.ShouldContain("kcd: debug 2101: ");
        run.Output.ShouldNotContain("debug");
    }

    [Fact]
    public async Task Settings_are_read_from_the_file_of_a_host()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", JsonSerializer.Serialize(new
        {
            Kcd = new
            {
                Realm = gateway.Realm.Name,
                Kdcs = new[] { gateway.Realm.Endpoint.ToString() },
                ServiceAccount = new { Name = "gw", gateway.Keytab },
            },
        }));

        var run = await Kcd.RunAsync("ticket", "--config", config, "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Theory]
    [InlineData("CONTOSO.TEST={0}")]
    [InlineData("contoso.test={0}")]
    [InlineData("udp/{0}")]
    [InlineData("CONTOSO.TEST=udp/{0}")]
    public async Task A_kdc_is_specified_with_or_without_realm_and_transport(string form)
    {
        await using var gateway = await Gateway.StartAsync();
        var kdc = string.Format(CultureInfo.InvariantCulture, form, gateway.Realm.Endpoint);

        var run = await Kcd.RunAsync(
            "ticket", "--realm", "CONTOSO.TEST", "--kdc", kdc, "--account", "gw", "--keytab", gateway.Keytab, "--user", "ada", "--spn",
                "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Fact]
    public async Task An_interrupted_command_reports_the_interruption()
    {
        await using var gateway = await Gateway.StartAsync();
        await using var error = new StringWriter();
        using var interrupted = new CancellationTokenSource();
        await interrupted.CancelAsync();
        await using var output = new StringWriter();
        var streams = new Streams(Stream.Null, new OutputStream(output, Width: null), new OutputStream(error, Width: null));

        var code = await KcdCommandLine.RunAsync(
            ["ticket", "--json", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw", "--keytab",
                gateway.Keytab, "--user", "ada", "--spn", "HTTP/app"],
            streams, interrupted.Token);

        code.ShouldBe((int)ExitCode.Interrupted);
        error.ToString().ShouldBe($"kcd: interrupted{Environment.NewLine}");
        JsonDocument.Parse(output.ToString()).RootElement.GetProperty("error").GetProperty("stage").GetString().ShouldBe("interrupted");
    }

    [Fact]
    public async Task Without_a_configured_suffix_the_realm_of_the_user_is_requested_from_the_kdc()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await gateway.RunAsync("ticket", "--user", "ada.lovelace@contoso.test", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        gateway.Realm.Transcript.ShouldContain(line => line.StartsWith("FIND ada.lovelace@contoso.test ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("hunter2")]
    [InlineData("correct horse")]
    [InlineData("/etc")]
    public async Task A_password_in_the_position_of_its_file_is_not_shown(string password)
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await Kcd.RunAsync(
            "ticket", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw", "--user", "ada", "--spn",
                "HTTP/app",
            "--verbose", "--json", "--password-file", password);

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("--password-file: The file ");
        run.Error.ShouldContain("not the password itself");
        run.Error.ShouldNotContain(password);
        run.Output.ShouldNotContain(password);
        gateway.Realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_keytab_that_does_not_exist_is_wrong_usage_without_a_new_keytab_as_the_remedy()
    {
        await using var gateway = await Gateway.StartAsync();

        var run = await Kcd.RunAsync(
            "ticket", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", "gw", "--user", "ada", "--spn",
                "HTTP/app",
            "--keytab", gateway.GetPath("none"));

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain($"--keytab: {gateway.GetPath("none")} does not exist.");
        run.Error.ShouldNotContain("ktpass");
    }

    [Theory]
    [InlineData("nosuch", "HTTP/app", "--account")]
    [InlineData("gw", "HTTP/app", "--keytab")]
    public async Task A_remedy_names_the_option_and_not_the_settings_key(string account, string service, string option)
    {
        await using var gateway = await Gateway.StartAsync();
        var wrong = gateway.GetPath("wrong.keytab");
        await File.WriteAllBytesAsync(wrong, [5, 2], TestContext.Current.CancellationToken);
        string[] key = account == "gw" ? ["--keytab", wrong] : ["--password-file", gateway.WriteSecret("password", "secret")];

        var run = await Kcd.RunAsync(
            ["ticket", "--realm", "CONTOSO.TEST", "--kdc", gateway.Realm.Endpoint.ToString(), "--account", account, "--user", "ada",
                "--spn", service, .. key]);

        run.ExitCode.ShouldBe(ExitCode.Refused);
        run.Error.ShouldContain($"{option} ");
        run.Error.ShouldNotContain("Kcd:", Case.Sensitive);
    }

    /// <summary>Writes settings whose general account does not exist, with an application that has its own settings.</summary>
    private static string SettingsWithApplication(Gateway gateway, string application) => gateway.WriteSecret("appsettings.json", $$"""
        {
          "Kcd": {
            "Realm": "ELSEWHERE.TEST", "Kdcs": [ "192.0.2.1" ], "ServiceAccount": { "Name": "someone", "PasswordFile": "/nowhere" },
            "Realms": { "CONTOSO.TEST": { "Kdcs": [ "{{gateway.Realm.Endpoint}}" ], "UserPrincipalSuffixes": [ "contoso.test" ] } },
            "Applications": { "app": { {{application}} } }
          }
        }
        """);

    private static string OwnAccount(Gateway gateway) =>
        $$"""
        "Realm": "CONTOSO.TEST", "ServiceAccount": { "Name": "gw", "Keytab": {{JsonSerializer.Serialize(gateway.Keytab)}} },
            "InternalUrl": "https://app.contoso.test/", "ServicePrincipalName": "HTTP/app",
            "LoginIdentity": "OnPremisesSamAccountName", "UserRealm": "CONTOSO.TEST"
        """;

    [Theory]
    [InlineData("ada")]
    [InlineData("ada.lovelace@contoso.test")]
    public async Task The_account_realm_and_service_of_the_application_apply(string user)
    {
        await using var gateway = await Gateway.StartAsync();
        var config = SettingsWithApplication(gateway, OwnAccount(gateway));

        var run = await Kcd.RunAsync("ticket", "--config", config, "--app", "APP", "--user", user);

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
        run.Output.ShouldContain("service       HTTP/app");
        run.Output.ShouldContain("delegated by  gw@CONTOSO.TEST");
        // The realm of the suffix is configured, so the log-on and the two exchanges are the only requests.
        gateway.Realm.Transcript.Count.ShouldBe(3);
        gateway.Realm.Transcript[0].ShouldStartWith("AS gw ");
        gateway.Realm.Transcript[1].ShouldStartWith($"SELF {user}>gw ");
        gateway.Realm.Transcript[2].ShouldStartWith("PROXY ");
    }

    [Fact]
    public async Task The_user_realm_of_the_application_applies_unless_the_option_is_specified()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = SettingsWithApplication(
            gateway,
            OwnAccount(gateway).Replace("\"UserRealm\": \"CONTOSO", "\"UserRealm\": \"USERS", StringComparison.Ordinal));

        var elsewhere = await Kcd.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada");
        var here = await Kcd.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada", "--user-realm", "CONTOSO.TEST");

        elsewhere.ExitCode.ShouldNotBe(ExitCode.Done);
        elsewhere.Error.ShouldContain("ada@USERS.TEST");
        here.ExitCode.ShouldBe(ExitCode.Done, here.Error);
    }

    [Fact]
    public async Task Options_take_precedence_over_the_application()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = SettingsWithApplication(gateway, """
            "InternalUrl": "https://app.contoso.test/", "ServicePrincipalName": "HTTP/nowhere", "Realm": "elsewhere.test"
            """);

        var run = await gateway.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Theory]
    [InlineData("other", "\"ServicePrincipalName\": \"HTTP/app\"", "Configured applications: app")]
    [InlineData("app", "\"TokenFormat\": \"Spnego\"", "Kcd:Applications:app:ServicePrincipalName is missing")]
    [InlineData("app", "\"ServicePrincipalName\": \"app\"",
        "Kcd:Applications:app:ServicePrincipalName \"app\" is not a service principal name")]
    [InlineData("app", "\"ServicePrincipalName\": \"HTTP/app\", \"Realm\": \"CONTOSO.TEST\"",
        "Kcd:Applications:app:ServiceAccount is missing")]
    [InlineData("app", "\"ServicePrincipalName\": \"krbtgt/CONTOSO.TEST\"", "\"krbtgt/CONTOSO.TEST\" belongs to the KDC itself")]
    [InlineData("app", "\"ServicePrincipalName\": \"ldap/dc1.contoso.test\"", "Kcd:Applications:app:AllowServiceClass")]
    [InlineData("app", "\"ServicePrincipalName\": \"HTTP/app\", \"TokenFormat\": \"Smoke\"",
        "Kcd:Applications:app:TokenFormat \"Smoke\" is not one of its values. Write Kerberos, Spnego, Auto.")]
    [InlineData("app", "\"ServicePrincipalName\": \"HTTP/app\", \"ServicePrincipelName\": \"HTTP/other\"",
        "Kcd:Applications:app:ServicePrincipelName is not a known setting. The nearest known setting is ServicePrincipalName.")]
    public async Task An_application_that_cannot_be_used_is_wrong_usage(string name, string settings, string expected)
    {
        await using var gateway = await Gateway.StartAsync();
        var config = SettingsWithApplication(gateway, settings);

        var run = await Kcd.RunAsync("ticket", "--config", config, "--app", name, "--user", "ada");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain(expected);
        gateway.Realm.Transcript.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_settings_of_a_file_are_checked_as_a_host_checks_them_and_all_errors_are_listed()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = SettingsWithApplication(
            gateway, """
            "ServicePrincipalName": "HTTP/app", "ServiceAccount": { "Name": "gw", "Keytab": "/nowhere/gw.keytab" }
            """);

        var run = await Kcd.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada");

        run.ExitCode.ShouldBe(ExitCode.WrongUsage);
        run.Error.ShouldContain("Kcd:Applications:app:InternalUrl is missing");
        run.Error.ShouldContain("Kcd:Applications:app:ServiceAccount:Keytab \"/nowhere/gw.keytab\" does not exist");
    }

    [Fact]
    public async Task The_settings_of_a_YARP_gateway_need_no_address()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", $$"""
            {
              "Kcd": {
                "Realm": "CONTOSO.TEST", "Kdcs": [ "{{gateway.Realm.Endpoint}}" ],
                "ServiceAccount": { "Name": "gw", "Keytab": {{JsonSerializer.Serialize(gateway.Keytab)}} },
                "Applications": { "app": { "ServicePrincipalName": "HTTP/app" } }
              },
              "ReverseProxy": { "Clusters": { "app": { "Metadata": { "KcdApplication": "app" } } } }
            }
            """);

        var run = await Kcd.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Fact]
    public async Task The_settings_of_a_gateway_have_the_address_with_its_own_applications()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("gateway.json", $$"""
            {
              "Kcd": {
                "Realm": "CONTOSO.TEST", "Kdcs": [ "{{gateway.Realm.Endpoint}}" ],
                "ServiceAccount": { "Name": "gw", "Keytab": {{JsonSerializer.Serialize(gateway.Keytab)}} },
                "Applications": { "app": { "ServicePrincipalName": "HTTP/app" } }
              },
              "Applications": {
                "portal": {
                  "ExternalUrl": "https://portal.contoso.test/", "Delegation": "app", "InternalUrls": [ "https://app.contoso.test/" ]
                }
              }
            }
            """);

        var run = await Kcd.RunAsync("ticket", "--config", config, "--app", "app", "--user", "ada");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }

    [Fact]
    public async Task Options_take_precedence_over_the_file()
    {
        await using var gateway = await Gateway.StartAsync();
        var config = gateway.WriteSecret("appsettings.json", """
            { "Kcd": { "Realm": "CONTOSO.TEST", "Kdcs": [ "192.0.2.1" ], "ServiceAccount": { "Name": "someone",
                "PasswordFile": "/nowhere" } } }
            """);

        var run = await gateway.RunAsync("ticket", "--config", config, "--user", "ada", "--spn", "HTTP/app");

        run.ExitCode.ShouldBe(ExitCode.Done, run.Error);
    }
}
