using System.Net;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>Backends with one fault each that shows without a user. The doctor names this fault and no other.</summary>
public sealed class BackendChecksTests
{
    private const string Negotiate = "WWW-Authenticate: Negotiate";

    [Fact]
    public async Task A_healthy_backend_passes_every_check()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions());

        findings.ShouldBeOk();
        findings.Count.ShouldBe(9);
    }

    [Fact]
    public async Task A_healthy_backend_with_TLS_passes_every_check_and_shows_its_certificate()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions { Https = true });

        findings.ShouldBeOk();
        findings.Get(CheckIds.BackendCertificate).Verdict.ShouldBe(DoctorVerdict.Ok);
        string.Join('\n', findings.Get(CheckIds.BackendCertificate).Evidence).ShouldContain("Names: localhost, 127.0.0.1");
        string.Join('\n', findings.Get(CheckIds.BackendTicket).Evidence).ShouldContain("bound to the TLS connection");
    }

    [Theory]
    [InlineData(20, false, "expires on")]
    [InlineData(30, true, "not now")]
    public async Task A_certificate_that_expires_soon_is_worth_a_look_and_an_expired_one_is_the_fault(
        int hours, bool isFault, string text)
    {
        await using var examination = new BackendExamination
        {
            Change = request => request with
            {
                TimeProvider = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow().AddHours(hours)),
                CreateHandler = isFault ? null : request.CreateHandler,
                Only = [CheckIds.BackendCertificate],
            },
        };

        var finding = (await examination.ExamineAsync(new TestBackendOptions { Https = true })).ShouldHaveSingleItem();

        finding.Verdict.ShouldBe(isFault ? DoctorVerdict.Fix : DoctorVerdict.Look);
        finding.Text.ShouldContain(text);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_the_only_fault_and_no_request_is_sent()
    {
        await using var examination = new BackendExamination();
        await using var backend = await TestBackend.StartAsync(
            examination.Realm, "HTTP/app", new TestBackendOptions { Https = true }, TestContext.Current.CancellationToken);

        var fault = (await examination.ExamineAsync(backend.CreateApplication())).ShouldHaveOneFault(CheckIds.BackendCertificate);

        string.Join('\n', fault.Evidence).ShouldContain("Issuer: CN=localhost");
        backend.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_without_TLS_at_an_https_address_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response("400 Bad Request"));

        (await examination.ExamineAsync(new UriBuilder(backend.Url) { Scheme = "https" }.Uri))
            .ShouldHaveOneFault(CheckIds.BackendCertificate);
    }

    [Fact]
    public async Task A_host_without_an_address_is_the_only_fault()
    {
        await using var examination = new BackendExamination();

        var fault = (await examination.ExamineAsync(new Uri("https://no-such-host.invalid/"))).ShouldHaveOneFault(CheckIds.BackendName);

        fault.Text.ShouldContain("no-such-host.invalid");
    }

    [Fact]
    public async Task A_port_on_which_nothing_listens_is_the_only_fault_and_an_answer_that_is_missing()
    {
        await using var examination = new BackendExamination();
        Uri url;
        await using (var gone = RawBackend.Start(""))
            url = gone.Url;

        (await examination.ExamineAsync(url)).ShouldHaveOneFault(CheckIds.BackendConnection).IsNoAnswer.ShouldBeTrue();
    }

    [Fact]
    public async Task Checks_of_an_application_without_an_address_are_skipped()
    {
        await using var examination = new BackendExamination();
        examination.ChangeSettings = settings => settings with { InternalUrl = null };

        var findings = await examination.ExamineAsync(new Uri("https://localhost/"));

        findings.ShouldAllBe(finding => finding.Verdict == DoctorVerdict.Skipped);
        findings.ShouldAllBe(finding => finding.Text == "The application has no InternalUrl.");
    }

    [Theory]
    [InlineData("Basic realm=\"x\"", "Basic")]
    [InlineData("NTLM", "NTLM")]
    [InlineData("Bearer", "Bearer")]
    public async Task A_backend_without_Negotiate_is_the_only_fault(string challenge, string scheme)
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(
            RawBackend.Response("401 Unauthorized", $"WWW-Authenticate: {challenge}", "Server: Apache/2.4"));

        var fault = (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendOffer);

        fault.Text.ShouldContain(scheme);
        fault.Remedy!.ShouldContain("AuthType GSSAPI");
        backend.Requests.ShouldAllBe(request => !request.Contains("Authorization", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_backend_that_prefers_NTLM_is_worth_a_look()
    {
        await using var examination = new BackendExamination();

        var findings = await examination.ExamineAsync(new TestBackendOptions { Challenges = ["NTLM", "Negotiate"] });

        findings.Get(CheckIds.BackendOffer).Verdict.ShouldBe(DoctorVerdict.Look);
        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Ok);
    }

    [Theory]
    [InlineData("200 OK")]
    [InlineData("404 Not Found")]
    [InlineData("403 Forbidden")]
    [InlineData("500 Internal Server Error")]
    public async Task A_backend_that_asks_for_no_ticket_is_worth_a_look(string status)
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response(status));

        var findings = await examination.ExamineAsync(backend.Url);

        findings.Get(CheckIds.BackendOffer).Verdict.ShouldBe(DoctorVerdict.Look, findings.Describe());
        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Skipped, findings.Describe());
    }

    [Fact]
    public async Task An_answer_that_needs_no_ticket_does_not_prove_that_tickets_are_accepted()
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response("200 OK"));

        var findings = await examination.ExamineAsync(new DelegatedApplication
        {
            InternalUrl = backend.Url, AllowPlainHttp = true, MutualAuthentication = MutualAuthentication.Off,
        });

        findings.Get(CheckIds.BackendWrongTicket).Verdict.ShouldBe(DoctorVerdict.Skipped);
        findings.Get(CheckIds.BackendTicket).Verdict.ShouldBe(DoctorVerdict.Skipped);
        findings.Get(CheckIds.BackendPersistence).Verdict.ShouldBe(DoctorVerdict.Skipped);
    }

    [Fact]
    public async Task Each_further_origin_of_the_application_is_examined_with_the_path_of_the_address()
    {
        await using var examination = new BackendExamination();
        await using var healthy = RawBackend.Start(RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Negotiate"));
        await using var anonymous = RawBackend.Start(RawBackend.Response("401 Unauthorized", "WWW-Authenticate: Basic"));
        examination.Change = request => request with { Only = [CheckIds.BackendOffer, CheckIds.BackendConnection] };
        var application = new DelegatedApplication { InternalUrl = new Uri(healthy.Url, "/erp/"), AllowPlainHttp = true };
        application.AdditionalOrigins.Add($"{anonymous.Url}");
        application.AdditionalOrigins.Add("http://127.0.0.1:9");

        var findings = await examination.ExamineAsync(application);

        findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => (finding.Check, finding.Subject)).ShouldBe(
            [(CheckIds.BackendConnection, "app at http://127.0.0.1:9"),
                (CheckIds.BackendOffer, $"app at {anonymous.Url.GetLeftPart(UriPartial.Authority)}")], findings.Describe());
        findings.Count(finding => finding.Subject == "app").ShouldBe(2);
        findings.Where(finding => finding.Subject == "app").ShouldAllBe(finding => finding.Verdict == DoctorVerdict.Ok);
        findings.First(finding => finding.Verdict == DoctorVerdict.Fix).Remedy.ShouldNotBeNull().ShouldContain("AdditionalOrigins of app");
    }

    [Fact]
    public async Task A_redirect_is_reported_with_its_origin_and_not_followed()
    {
        await using var examination = new BackendExamination();
        await using var other = RawBackend.Start(RawBackend.Response("200 OK"));
        await using var backend = RawBackend.Start(
            RawBackend.Response("302 Found", $"Location: {other.Url}login?secret=1", "Set-Cookie: a=b"));

        var finding = (await examination.ExamineAsync(backend.Url)).Get(CheckIds.BackendOffer);

        finding.Verdict.ShouldBe(DoctorVerdict.Look);
        finding.Text.ShouldContain(other.Url.Authority);
        finding.Text.ShouldNotContain("secret");
        other.Requests.ShouldBeEmpty();
        backend.Requests.ShouldAllBe(request => !request.Contains("Cookie", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("502 Bad Gateway")]
    [InlineData("503 Service Unavailable")]
    [InlineData("504 Gateway Timeout")]
    public async Task A_server_that_does_not_reach_the_application_is_the_only_fault(string status)
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response(status));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendOffer).IsNoAnswer.ShouldBeTrue();
    }

    [Fact]
    public async Task A_backend_that_accepts_any_ticket_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response("401 Unauthorized", Negotiate), RawBackend.Response("200 OK"));

        var fault = (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendWrongTicket);

        fault.Text.ShouldContain("does not verify tickets");
        backend.Requests.Count(request => request.Contains("Authorization", StringComparison.Ordinal))
            .ShouldBe(1, "no user's ticket is sent to it");
    }

    [Fact]
    public async Task A_backend_that_speaks_HTTP_2_only_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2));
        await using var application = builder.Build();
        application.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Negotiate";
            return Task.CompletedTask;
        });
        await application.StartAsync(TestContext.Current.CancellationToken);

        var fault = (await examination.ExamineAsync(new Uri(application.Urls.First()))).ShouldHaveOneFault(CheckIds.BackendProtocol);

        fault.Text.ShouldContain("HTTP/2 only");
    }

    [Theory]
    [InlineData("")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nbroken")]
    public async Task A_server_without_a_valid_response_is_the_only_fault(string answer)
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(answer);

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendProtocol).IsNoAnswer.ShouldBeTrue();
    }

    [Fact]
    public async Task A_silent_server_is_the_only_fault_after_the_time_for_an_answer()
    {
        await using var examination = new BackendExamination
        {
            Change = request => request with { AnswerTimeout = TimeSpan.FromMilliseconds(300) },
        };
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        (await examination.ExamineAsync(new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/")))
            .ShouldHaveOneFault(CheckIds.BackendProtocol).Text.ShouldContain("0.3 s");
    }

    [Fact]
    public async Task A_header_without_an_end_is_the_only_fault()
    {
        await using var examination = new BackendExamination();
        await using var backend = new RawBackend(_ => Enumerable.Repeat("X-Filler: " + new string('x', 1000) + "\r\n", 100_000)
            .Prepend("HTTP/1.1 401 Unauthorized\r\n"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendProtocol);
    }

    [Fact]
    public async Task A_body_without_an_end_is_not_read()
    {
        await using var examination = new BackendExamination();
        await using var backend = new RawBackend(_ => Enumerable.Repeat(new string('x', 10_000), 1_000_000)
            .Prepend("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n"));

        (await examination.ExamineAsync(backend.Url)).ShouldHaveOneFault(CheckIds.BackendOffer);
    }

    [Fact]
    public async Task Control_characters_and_long_text_of_a_backend_are_printed_safely()
    {
        await using var examination = new BackendExamination();
        await using var backend = RawBackend.Start(RawBackend.Response(
            "401 Unauthorized", "Server: \u001b[31mred\u0007" + new string('s', 5000), "WWW-Authenticate: Odd\u001b", "WWW-Authenticate: "
            + new string('c', 20_000)));

        var findings = await examination.ExamineAsync(backend.Url);

        findings.ShouldHaveOneFault(CheckIds.BackendOffer);
        findings.SelectMany(finding => finding.Evidence).ShouldAllBe(text => text.Length < 1000);
    }
}
