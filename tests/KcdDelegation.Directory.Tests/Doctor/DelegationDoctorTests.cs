using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using KcdDelegation.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>The checks of <c>kcd doctor</c> on the embedded KDC: which check is responsible for a fault, and what a run asks.</summary>
public sealed class DelegationDoctorTests : IAsyncDisposable
{
    private const string Service = "HTTP/app.contoso.test";

    private readonly TestRealm _realm = TestRealm.Start(kind: KdcKind.Mit).User("ada").User("bert").User("carol", sensitive: true)
        .User("dora", disabled: true).Service(Service).Service("HTTP/other.contoso.test")
        .Account("gateway", mayDelegateTo: [Service]).Account("plain", mayDelegateTo: [Service], anyProtocol: false);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await _realm.DisposeAsync();

    [Fact]
    public async Task A_realm_without_faults_has_no_finding()
    {
        var report = await ExamineAsync("gateway", "ada");

        // The embedded realm has the KDC of a domain and no directory.
        report.Findings.Where(finding => finding.Verdict != DoctorVerdict.Ok && !IsAboutDirectory(finding)).Select(Describe)
            .ShouldBeEmpty();
        report.Findings.Count.ShouldBeGreaterThan(20);
        report.Findings.Single(finding => finding.Check == CheckIds.Directory).Verdict.ShouldBe(DoctorVerdict.Look);
        report.IsIncomplete.ShouldBeTrue();
        report.Findings.Select(finding => finding.Number).ShouldBe(Enumerable.Range(1, report.Findings.Count));
        report.Settings.ShouldContain(line => line.Key == "Applications:app:ServicePrincipalName" && line.Value == Service);
    }

    [Theory]
    [InlineData("gateway", "carol", CheckIds.UserDelegation)]
    [InlineData("gateway", "dora", CheckIds.UserState)]
    [InlineData("gateway", "nemo", CheckIds.UserAccount)]
    [InlineData("plain", "ada", CheckIds.AccountAnyProtocol)]
    public async Task A_fault_is_found_by_one_check_and_the_others_are_skipped(string account, string user, string check)
    {
        // The second user shows whether the account or the user is the reason.
        var report = await ExamineAsync(CreateOptions(account, Service), user, other: "bert");

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check).ShouldBe([check]);
        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Skipped && !IsAboutDirectory(finding))
            .Select(finding => finding.Text)
            .ShouldAllBe(text => text.Contains($"(check {check})", StringComparison.Ordinal) || text == "There is no ticket.");
        var fault = report.Findings.Single(finding => finding.Verdict == DoctorVerdict.Fix);
        fault.Proof.ShouldBe($"kcd doctor --only {check}");
        fault.Remedy.ShouldNotBeNullOrEmpty();
        fault.Evidence.ShouldContain(line => line.StartsWith("The KDC's answer: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_target_on_no_list_is_a_fault_of_the_list()
    {
        var report = await ExamineAsync("gateway", "ada", service: "HTTP/other.contoso.test");

        report.Findings.Single(finding => finding.Verdict == DoctorVerdict.Fix).Check.ShouldBe(CheckIds.DelegationList);
    }

    [Fact]
    public async Task A_target_that_no_account_holds_is_a_fault_of_the_name()
    {
        var report = await ExamineAsync("gateway", "ada", service: "HTTP/none.contoso.test");

        report.Findings.Single(finding => finding.Verdict == DoctorVerdict.Fix).Check.ShouldBe(CheckIds.TargetSpn);
    }

    [Fact]
    public async Task Without_a_user_the_checks_that_need_one_are_skipped()
    {
        var report = await ExamineAsync("gateway", user: null);

        report.Findings.ShouldNotContain(finding => finding.Verdict == DoctorVerdict.Fix);
        report.Findings.Single(finding => finding.Check == CheckIds.Ticket).Text.ShouldBe("No user was given: --user USER.");
        report.Findings.ShouldNotContain(finding => finding.Stage == DoctorStage.Identity);
        _realm.Transcript.ShouldNotContain(line => line.Contains("S4U2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_key_is_proven_once_however_many_applications_and_users_there_are()
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "a password that is wrong", Stop);
            var options = CreateOptions("gateway", Service);
            options.ServiceAccount = new ServiceAccountOptions { Name = "gateway", PasswordFile = file };
            for (var i = 0; i < 3; i++)
            {
                options.Applications[string.Create(CultureInfo.InvariantCulture, $"more{i}")] =
                    new DelegatedApplication { InternalUrl = new Uri($"https://more{i}.contoso.test/"), ServicePrincipalName = Service };
            }
            _realm.ClearTranscript();

            var report = await ExamineAsync(options, "ada", "carol");

            report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check)
                .ShouldBe([CheckIds.KeyCurrent]);
            _realm.Transcript.Count(line => line.Contains("KDC_ERR_PREAUTH_FAILED", StringComparison.Ordinal)).ShouldBe(1);
            report.Findings.SelectMany(finding => finding.Evidence.Append(finding.Text))
                .ShouldNotContain(text => text.Contains("a password that is wrong", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_KDC_that_is_away_is_no_answer_and_the_checks_after_it_are_skipped()
    {
        var options = CreateOptions("gateway", Service);
        options.Kdcs.Clear();
        options.Kdcs.Add("127.0.0.1:9");

        var report = await ExamineAsync(options, "ada");

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check).ShouldBe([CheckIds.KdcTcp]);
        report.IsIncomplete.ShouldBeTrue();
        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Skipped)
            .ShouldAllBe(finding => finding.Text.Contains(CheckIds.KdcTcp, StringComparison.Ordinal) && finding.IsNoAnswer);
    }

    [Theory]
    [InlineData(KerberosExchange.LogOn, CheckIds.AccountLogOn)]
    [InlineData(KerberosExchange.S4U2Self, CheckIds.Ticket)]
    [InlineData(KerberosExchange.S4U2Proxy, CheckIds.Ticket)]
    public async Task A_reply_of_the_KDC_that_is_rejected_is_a_fault_of_its_exchange(KerberosExchange exchange, string check)
    {
        // The fault waits for a request that succeeds: the ones without pre-authentication get their right answer.
        _realm.Fail(KdcFault.WrongNonce, exchange, times: int.MaxValue);

        var report = await ExamineAsync("gateway", "ada");

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check).ShouldBe([check]);
        report.Findings.Single(finding => finding.Check == CheckIds.KdcTcp).Verdict.ShouldBe(DoctorVerdict.Ok);
    }

    [Fact]
    public async Task Whatever_is_wrong_with_a_reply_there_is_one_fault()
    {
        KdcFault[] faults =
        [
            KdcFault.WrongReplyKey, KdcFault.SessionKeyReply, KdcFault.UnofferedEncryptionType, KdcFault.Expired, KdcFault.NotYetValid,
            KdcFault.WrongService("HTTP/other.contoso.test"), KdcFault.TicketOfAnotherUser("bert"), KdcFault.NameOfAnotherUser("bert"),
            KdcFault.Unavailable, KdcFault.Error(KerberosErrorCode.Generic), KdcFault.Error(KerberosErrorCode.TicketExpired),
            KdcFault.Error(KerberosErrorCode.BadIntegrity), KdcFault.Error(KerberosErrorCode.Policy),
        ];
        var failures = new List<string>();
        foreach (var exchange in new[] { KerberosExchange.LogOn, KerberosExchange.S4U2Self, KerberosExchange.S4U2Proxy })
        {
            foreach (var fault in faults)
            {
                _realm.Heal().Fail(fault, exchange, times: int.MaxValue);
                var report = await ExamineAsync("gateway", "ada");
                var found = report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(Describe).ToList();
                if (report.Findings.Single(finding => finding.Check == CheckIds.Ticket).Verdict != DoctorVerdict.Ok && found.Count != 1)
                    failures.Add($"{fault} in {exchange}: {string.Join("; ", found)}");
            }
        }
        failures.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_KDC_that_accepts_connections_and_does_not_answer_is_described_so()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var options = CreateOptions("gateway", Service);
        options.Kdcs.Clear();
        options.Kdcs.Add($"{silent.LocalEndpoint}");

        var report = await DelegationDoctor.ExamineAsync(
            CreateRequest(options, null) with { Only = [CheckIds.KdcTcp], AnswerTimeout = TimeSpan.FromMilliseconds(300) }, null, Stop);

        report.Findings.ShouldHaveSingleItem().Evidence.ShouldHaveSingleItem()
            .ShouldEndWith("accepted the connection but did not answer within 0.3 s");
    }

    [Fact]
    public async Task A_clock_that_differs_by_more_than_five_minutes_is_a_fault_although_the_client_corrects_for_it()
    {
        await using var ahead = TestRealm.Start(kind: KdcKind.Mit).ClockAhead(TimeSpan.FromMinutes(10)).User("ada").Service(Service)
            .Account("gateway", mayDelegateTo: [Service]);

        var report = await ExamineAsync(CreateOptions("gateway", Service, ahead), "ada");

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check)
            .ShouldBe([CheckIds.KdcClock]);
    }

    [Fact]
    public async Task A_token_that_is_refused_is_a_fault_and_the_reason_why_the_checks_of_the_user_are_skipped()
    {
        var failure = KcdException.Explain(new KerberosException(new KerberosFailure { Reason = KerberosFailureReason.TokenRejected }));
        var request = CreateRequest(CreateOptions("gateway", Service), user: null) with
        {
            Token = new TokenExamination(null, failure, 100),
        };

        var report = await DelegationDoctor.ExamineAsync(request, null, Stop);

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check)
            .ShouldBe([CheckIds.UserToken]);
        report.Findings.Single(finding => finding.Check == CheckIds.Ticket).Text
            .ShouldBe("The token maps to no user (check user.token).");
    }

    [Fact]
    public async Task A_token_is_examined_once_also_with_a_second_user()
    {
        var request = CreateRequest(CreateOptions("gateway", Service), "ada") with
        {
            OtherUser = new DoctorUser("bert", null),
            Token = new TokenExamination(KerberosPrincipal.Principal("ada", "CONTOSO.TEST"), null, 100),
        };

        var report = await DelegationDoctor.ExamineAsync(request, null, Stop);

        report.Findings.Single(finding => finding.Check == CheckIds.UserToken).Verdict.ShouldBe(DoctorVerdict.Ok);
    }

    [Fact]
    public async Task Only_the_named_checks_are_made()
    {
        var report = await DelegationDoctor.ExamineAsync(
            CreateRequest(CreateOptions("gateway", Service), "ada") with { Only = ["KDC.TCP", CheckIds.KdcClock] }, null, Stop);

        report.Findings.Select(finding => finding.Check).ShouldBe([CheckIds.KdcTcp, CheckIds.KdcClock]);
    }

    [Fact]
    public void Identifiers_of_checks_are_unique() =>
        DelegationDoctor.Checks.Select(check => check.Id).ShouldBeUnique();

    private static bool IsAboutDirectory(DoctorFinding finding) =>
        finding.Check == CheckIds.Directory || finding.Text.Contains($"(check {CheckIds.Directory})", StringComparison.Ordinal);

    private static string Describe(DoctorFinding finding) => $"{finding.Check}: {finding.Verdict}: {finding.Text}";

    private Task<DoctorReport> ExamineAsync(string account, string? user, string service = Service) =>
        ExamineAsync(CreateOptions(account, service), user);

    private static Task<DoctorReport> ExamineAsync(KcdOptions options, string? user, string? other = null) =>
        DelegationDoctor.ExamineAsync(
            CreateRequest(options, user) with { OtherUser = other is null ? null : new DoctorUser(other, null) }, null, Stop);

    private static DoctorRequest CreateRequest(KcdOptions options, string? user)
    {
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        // The embedded realm has no backend: its checks have tests of their own.
        var stages = DelegationDoctor.Checks.Where(check => check.Stage != DoctorStage.Target).Select(check => check.Id);
        return new DoctorRequest
        {
            Settings = settings!,
            User = user is null ? null : new DoctorUser(user, null),
            Only = [.. stages],
            LoggerFactory = NullLoggerFactory.Instance,
        };
    }

    private KcdOptions CreateOptions(string account, string service, TestRealm? realm = null)
    {
        var options = (realm ?? _realm).CreateOptions(account);
        options.Applications["app"] = new DelegatedApplication
        {
            InternalUrl = new Uri("https://app.contoso.test/"), ServicePrincipalName = service,
        };
        return options;
    }
}
