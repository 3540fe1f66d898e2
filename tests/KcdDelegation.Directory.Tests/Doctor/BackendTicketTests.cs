using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>Backends that refuse the user's ticket for one reason each, or keep the user on the connection.</summary>
public sealed class BackendTicketTests
{
    [Fact]
    public async Task A_backend_with_another_key_is_the_only_fault_and_the_own_ticket_shows_that_it_is_not_delegation()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions(), service: "HTTP/other");

        var fault = findings.ShouldHaveOneFault(CheckIds.BackendTicket);
        fault.Evidence.ShouldContain(line => line.Contains("own ticket is refused too", StringComparison.Ordinal));
        fault.Commands.ShouldContain(command => command.Text.Contains("HTTP/app", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TestTokenFormats.Spnego, TokenFormat.Kerberos, "Spnego")]
    [InlineData(TestTokenFormats.Kerberos, TokenFormat.Spnego, "Kerberos")]
    public async Task A_backend_that_accepts_the_other_format_only_is_the_only_fault(
        TestTokenFormats accepted, TokenFormat configured, string expected)
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { TokenFormat = configured },
        };

        var fault = (await examination.ExamineAsync(new TestBackendOptions { Acceptor = new() { Formats = accepted } }))
            .ShouldHaveOneFault(CheckIds.BackendTicket);

        fault.Remedy!.ShouldContain($"Set TokenFormat of app to {expected}");
    }

    [Theory]
    [InlineData(TestTokenFormats.Spnego)]
    [InlineData(TestTokenFormats.Kerberos)]
    public async Task The_format_Auto_finds_the_one_that_the_backend_accepts(TestTokenFormats accepted)
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { TokenFormat = TokenFormat.Auto },
        };

        (await examination.ExamineAsync(new TestBackendOptions { Acceptor = new() { Formats = accepted } })).ShouldBeOk();
    }

    [Fact]
    public async Task A_backend_that_requires_channel_binding_is_the_only_fault_if_it_is_off()
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { ChannelBinding = false },
        };

        var fault = (await examination.ExamineAsync(
            new TestBackendOptions { Https = true, Acceptor = new() { ChannelBinding = TestChannelBinding.Required } }))
            .ShouldHaveOneFault(CheckIds.BackendTicket);

        fault.Remedy!.ShouldContain("Set ChannelBinding of app to true");
    }

    [Theory]
    [InlineData(TestMutualReply.None, "Optional")]
    [InlineData(TestMutualReply.Forged, "Off")]
    [InlineData(TestMutualReply.Stale, "Off")]
    public async Task A_backend_without_a_correct_proof_is_the_only_fault_if_one_is_required(TestMutualReply reply, string remedy)
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { MutualAuthentication = MutualAuthentication.Required },
        };

        var findings = await examination.ExamineAsync(new TestBackendOptions { Acceptor = new() { MutualReply = reply } });

        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Fix, findings.Describe());
        findings.Get(CheckIds.BackendTicket).Remedy!.ShouldContain(remedy);
    }

    [Fact]
    public async Task A_header_limit_below_the_size_of_the_ticket_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        examination.Realm.PacSize(6000);

        var findings = await examination.ExamineAsync(new TestBackendOptions { MaxHeaderBytes = 4096 });

        findings.ShouldHaveOneFault(CheckIds.BackendHeaderLimit).Evidence.ShouldContain(
            line => line.Contains("Answer: 431", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_limit_of_the_field_that_is_answered_with_400_is_the_only_fault_even_if_every_ticket_exceeds_it()
    {
        await using var examination = new BackendExamination();
        await using var backend = new RawBackend(head =>
            [head.Length > 600 ? RawBackend.Response("400 Bad Request", "Server: Apache/2.4") : RawBackend.Response(
                "401 Unauthorized", "WWW-Authenticate: Negotiate", "Server: Apache/2.4")]);

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendHeaderLimit)
            .Remedy!.ShouldContain("LimitRequestFieldSize");
    }

    [Fact]
    public async Task A_backend_that_closes_the_connection_after_a_large_field_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        await using var backend = new RawBackend(head =>
            head.Length > 600 ? [] : [RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate")]);

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendHeaderLimit);
    }

    [Theory]
    [InlineData(KerberosErrorCode.Skew, "clock of the backend")]
    [InlineData(KerberosErrorCode.Modified, "another key")]
    [InlineData(KerberosErrorCode.NoKey, "type and version")]
    [InlineData(KerberosErrorCode.BadKeyVersion, "type and version")]
    [InlineData(KerberosErrorCode.Repeat, "repetition")]
    [InlineData(KerberosErrorCode.TicketExpired, "clocks differ")]
    public async Task The_Kerberos_error_of_the_backend_decides_the_cause(KerberosErrorCode code, string text)
    {
        await using var examination = new BackendExamination();
        var error = new KrbError
        {
            Code = code,
            ServerTime = TimeProvider.System.GetUtcNow(),
            Realm = examination.Realm.Name,
            Service = PrincipalName.From(ServicePrincipalName.Parse("HTTP/app")),
        };
        var token = Convert.ToBase64String(GssKerberosToken.Wrap(GssKerberosToken.ErrorToken, error.Encode()));
        await using var backend = RawBackend.Start(
            RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate"),
            RawBackend.Response("401 Unauthorized", $"WWW-Authenticate: Negotiate {token}"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendTicket).Text.ShouldContain(text);
    }

    [Fact]
    public async Task The_remedy_for_IIS_is_its_application_pool()
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(
            RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate", "WWW-Authenticate: NTLM", "Server: Microsoft-IIS/10.0"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendTicket)
            .Commands.ShouldHaveSingleItem().Text.ShouldContain("/useAppPoolCredentials:true");
    }

    [Fact]
    public async Task A_device_that_replaces_the_certificate_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        await using var backend = await TestBackend.StartAsync(
            examination.Realm, "HTTP/app", new TestBackendOptions { Https = true }, TestContext.Current.CancellationToken);
        await using var device = new InspectingDevice(backend);
        examination.Change = request => request with { CreateHandler = device.CreateHandler };

        var fault = (await examination.ExamineAsync(device.Url)).ShouldHaveOneFault(CheckIds.BackendTicket);

        fault.Text.ShouldContain("only without channel binding");
    }

    [Fact]
    public async Task A_ticket_near_the_limit_of_the_server_is_worth_a_look()
    {
        await using var examination = new BackendExamination();
        examination.Realm.PacSize(4500);

        var findings = await examination.ExamineAsync(new TestBackendOptions
        {
            Application = context =>
            {
                context.Response.Headers.Server = "nginx/1.26";
                return Task.CompletedTask;
            },
        });

        findings.Get(CheckIds.BackendHeaderLimit).Verdict.ShouldBe(DoctorVerdict.Look, findings.Describe());
    }

    [Theory]
    [InlineData(600)]
    [InlineData(-600)]
    public async Task A_backend_whose_clock_differs_and_that_refuses_the_ticket_is_the_only_fault(int seconds)
    {
        await using var examination = new BackendExamination();
        var date = TimeProvider.System.GetUtcNow().AddSeconds(seconds).ToString("r", System.Globalization.CultureInfo.InvariantCulture);
        await using var backend = RawBackend.Start(
            RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate", $"Date: {date}"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendTicket)
            .Remedy!.ShouldContain("Synchronize the clock of the backend's machine");
    }

    [Theory]
    [InlineData(MutualAuthentication.Off)]
    [InlineData(MutualAuthentication.Required)]
    public async Task A_401_of_a_backend_that_proves_its_key_is_the_user_and_not_the_key(MutualAuthentication mutual)
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { MutualAuthentication = mutual },
        };

        var findings = await examination.ExamineAsync(new TestBackendOptions
        {
            Application = context =>
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.Append("WWW-Authenticate", "Negotiate");
                return Task.CompletedTask;
            },
        });

        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Look, findings.Describe());
        findings.Get(CheckIds.BackendTicket).Remedy!.ShouldContain("right to use the application");
        findings.ShouldAllBe(finding => finding.Verdict != DoctorVerdict.Fix);
    }

    [Fact]
    public async Task A_user_without_a_right_to_the_application_is_worth_a_look()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions
        {
            Application = context =>
            {
                context.Response.StatusCode = 403;
                return Task.CompletedTask;
            },
        });

        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Look, findings.Describe());
        findings.ShouldAllBe(finding => finding.Verdict != DoctorVerdict.Fix);
    }

    [Fact]
    public async Task A_backend_that_ties_the_user_to_the_connection_is_a_fault_if_connections_are_shared()
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { ShareConnectionsBetweenUsers = true },
        };

        var fault = (await examination.ExamineAsync(new TestBackendOptions { ConnectionBound = true }))
            .ShouldHaveOneFault(CheckIds.BackendPersistence);

        fault.Evidence.ShouldContain("A second user on the connection gets the page of the first.");
    }

    [Fact]
    public async Task A_backend_that_ties_the_user_to_the_connection_is_no_fault_if_connections_are_not_shared()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions { ConnectionBound = true });

        findings.ShouldBeOk();
        findings.Get(CheckIds.BackendPersistence).Text.ShouldContain("ties the user to the connection");
    }

    [Fact]
    public async Task A_ticket_is_never_sent_over_plain_http_that_the_settings_do_not_allow()
    {
        await using var examination = new BackendExamination
        {
            ChangeSettings = settings => settings with { AllowPlainHttp = false },
        };
        await using var backend = RawBackend.Start(RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate"));

        await examination.ExamineAsync(backend.Url);

        // The ticket of random bytes belongs to no user.
        backend.Requests.Count(request => request.Contains("Authorization", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(1);
        backend.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Without_a_user_the_checks_that_need_one_are_skipped()
    {
        await using var examination = new BackendExamination
        {
            Change = request => request with { User = null, OtherUser = null },
        };

        var findings = await examination.ExamineAsync(new TestBackendOptions());

        findings.Where(finding => finding.Verdict == DoctorVerdict.Skipped).Select(finding => finding.Check)
            .ShouldBe([CheckIds.BackendHeaderLimit, CheckIds.BackendTicket, CheckIds.BackendPersistence]);
    }

    [Theory]
    [InlineData(100_000)]
    [InlineData(20_000)]
    public async Task A_huge_challenge_to_a_ticket_is_a_refusal(int length)
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(
            RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate"),
            RawBackend.Response("401 Unauthorized", $"WWW-Authenticate: Negotiate {new string('A', length)}"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendTicket);
    }
}
