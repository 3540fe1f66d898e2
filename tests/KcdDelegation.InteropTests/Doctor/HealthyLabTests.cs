using KcdDelegation.DirectoryServices;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.InteropTests.Doctor;

/// <summary>On the healthy lab, every check of <c>kcd doctor</c> is OK.</summary>
public sealed class HealthyLabTests
{
    [Theory]
    [InlineData("mit", "HTTP/connector.mit.test", 10080)]
    [InlineData("mit", "HTTP/connector.mit.test", 10082)]
    [InlineData("samba", "svc-connector", 10081)]
    [InlineData("samba22", "svc-connector", 10085)]
    [InlineData("samba22", "svc-connector", 10083)]
    [InlineData("samba22", "conncomp$", 10085)]
    public async Task Every_check_is_OK(string part, string account, int port)
    {
        var realm = LabRealm.Get(part);
        Lab.Require(part, "web", "nginx");

        var report = await ExamineAsync(realm, account, account == "conncomp$" ? "conncomp" : "connector", port, user: new("alice", null));

        FindOthers(report).ShouldBeEmpty();
        report.Findings.Select(finding => finding.Stage).Distinct().Count().ShouldBe(realm.Software == LabKdc.Samba ? 4 : 3);
    }

    [Fact]
    public async Task Every_check_is_OK_for_a_user_of_a_trusted_realm()
    {
        Lab.Require("mit", "mit2", "web");

        var report = await ExamineAsync(
            LabRealm.Mit, LabRealm.Mit.Connector, "connector", 10080, user: new("alice", LabRealm.Mit2.Realm),
            options => options.Realms[LabRealm.Mit2.Realm] = new RealmOptions { Kdcs = { $"{LabRealm.Mit2.Kdc}" } });

        FindOthers(report).ShouldBeEmpty();
        report.Findings.Single(finding => finding.Check == CheckIds.Trust).Text.ShouldContain(LabRealm.Mit2.Realm);
    }

    [Fact]
    public async Task A_trust_over_which_Samba_delegates_no_user_is_a_fault_of_the_trust()
    {
        Lab.Require("samba22", "trust", "web");

        var report = await ExamineAsync(
            LabRealm.Samba22, "svc-connector", "connector", 10085, user: new("alice", LabRealm.Partner.Realm),
            options => options.Realms[LabRealm.Partner.Realm] = new RealmOptions { Kdcs = { $"{LabRealm.Partner.Kdc}" } });

        report.Findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).Select(finding => finding.Check).ShouldBe([CheckIds.Trust]);
    }

    private static IEnumerable<string> FindOthers(DoctorReport report) => report.Findings
        .Where(finding => finding.Verdict != DoctorVerdict.Ok)
        .Select(finding => $"{finding.Check} of {finding.Subject}: {finding.Verdict}: {finding.Text}");

    private static Task<DoctorReport> ExamineAsync(
        LabRealm realm, string account, string keytab, int port, DoctorUser user, Action<KcdOptions>? configure = null)
    {
        var options = new KcdOptions { Realm = realm.Realm, Kdcs = { $"{realm.Kdc}" } }.UseDirectory();
        options.ServiceAccount.Name = account;
        options.ServiceAccount.Keytab = realm.Keytab(keytab);
        options.Applications["web"] = new DelegatedApplication
        {
            InternalUrl = new Uri($"http://localhost:{port}/"), AllowPlainHttp = true, ServicePrincipalName = realm.Spn("web"),
        };
        configure?.Invoke(options);
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join('\n', errors));
        return DelegationDoctor.ExamineAsync(
            new DoctorRequest
            {
                Settings = settings!,
                User = user,
                OtherUser = user with { Name = "bob" },
                LoggerFactory = NullLoggerFactory.Instance,
            },
            progress: null, TestContext.Current.CancellationToken);
    }
}
