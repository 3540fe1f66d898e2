using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.InteropTests.Doctor;

/// <summary>The checks of the backend at the web servers of the lab.</summary>
public sealed class BackendTests
{
    public static TheoryData<string, string> Servers
    {
        get
        {
            var data = new TheoryData<string, string>
            {
                { "mit", LabRealm.Mit.Web("spnego/").AbsoluteUri },
                { "mit", LabRealm.Mit.WebTls("krb5only/").AbsoluteUri },
                { "mit", LabRealm.Mit.Web("oneshot/").AbsoluteUri },
                { "mit", LabRealm.Mit.Web("session/").AbsoluteUri },
                { "mit", LabWeb.ReplayCache.AbsoluteUri },
                { "mit", LabWeb.Nginx.AbsoluteUri },
                { "mit", LabWeb.Java.AbsoluteUri },
                { "mit", new Uri(LabWeb.JavaTls, "cb").AbsoluteUri },
                { "mit", new Uri(LabWeb.PythonTls, "cbreq").AbsoluteUri },
                { "samba", LabRealm.Samba.WebTls("spnego/").AbsoluteUri },
                { "samba22", LabRealm.Samba22.Web("spnego/").AbsoluteUri },
                { "samba22", LabWeb.NginxOfAd22.AbsoluteUri },
            };
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task A_healthy_server_passes_every_check(string part, string url)
    {
        Lab.Require(part, "web", "nginx", "acceptors");

        var findings = await ExamineAsync(LabRealm.Get(part), new Uri(url));

        findings.Count.ShouldBe(9);
        findings.ShouldAllBe(finding => finding.Verdict == DoctorVerdict.Ok, Describe(findings));
    }

    [Fact]
    public async Task A_server_that_requires_channel_binding_is_the_only_fault_if_it_is_off()
    {
        Lab.Require("mit", "acceptors");

        var findings = await ExamineAsync(
            LabRealm.Mit, new Uri(LabWeb.PythonTls, "cbreq"), application => application.ChannelBinding = false);

        GetFault(findings).Remedy!.ShouldContain("Set ChannelBinding of app to true", Case.Sensitive, Describe(findings));
    }

    [Theory]
    [InlineData("apache")]
    [InlineData("nginx")]
    public async Task A_server_without_the_key_of_the_service_is_the_only_fault(string server)
    {
        Lab.Require("mit", "samba", "samba22", "web", "nginx");

        var findings = await ExamineAsync(LabRealm.Samba, server == "nginx" ? LabWeb.NginxOfAd22 : LabRealm.Mit.Web("spnego/"));

        var fault = GetFault(findings);
        fault.Check.ShouldBe(CheckIds.BackendTicket, Describe(findings));
        fault.Commands.ShouldHaveSingleItem().Text.ShouldBe(
            "samba-tool domain exportkeytab backend.keytab --principal='HTTP/web.ad.test'");
        fault.Evidence.ShouldContain(line => line.Contains("own ticket is refused too", StringComparison.Ordinal));
    }

    private static DoctorFinding GetFault(IReadOnlyList<DoctorFinding> findings) =>
        findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).ShouldHaveSingleItem(Describe(findings));

    private static string Describe(IReadOnlyList<DoctorFinding> findings) => string.Join('\n', findings.Select(finding =>
        $"{finding.Verdict} {finding.Check}: {finding.Text} [{string.Join("; ", finding.Evidence)}]"));

    private static async Task<IReadOnlyList<DoctorFinding>> ExamineAsync(
        LabRealm realm, Uri url, Action<DelegatedApplication>? configure = null)
    {
        var options = new KcdOptions { Realm = realm.Realm, Kdcs = { realm.Kdc.ToString() } };
        options.ServiceAccount.Name = realm.Connector;
        options.ServiceAccount.Keytab = realm.Keytab("connector");
        var isTls = url.Scheme == Uri.UriSchemeHttps;
        var application = options.Applications["app"] = new DelegatedApplication
        {
            InternalUrl = isTls ? new UriBuilder(url) { Host = $"web.{realm.Domain}" }.Uri : url,
            AllowPlainHttp = !isTls,
            ServicePrincipalName = realm.Spn("web"),
        };
        configure?.Invoke(application);
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join("; ", errors));
        var report = await DelegationDoctor.ExamineAsync(
            new DoctorRequest
            {
                Settings = settings!,
                User = new DoctorUser("alice", realm.Realm),
                OtherUser = new DoctorUser("bob", realm.Realm),
                Only = [.. DelegationDoctor.Checks.Where(check => check.Stage == DoctorStage.Target).Select(check => check.Id)],
                AnswerTimeout = TimeSpan.FromSeconds(10),
                CreateHandler = isTls ? CreateHandler : null,
                LoggerFactory = NullLoggerFactory.Instance,
            },
            progress: null, TestContext.Current.CancellationToken);
        return report.Findings;
    }

    private static SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler();
        LabApplication.Configure(handler);
        return handler;
    }
}
