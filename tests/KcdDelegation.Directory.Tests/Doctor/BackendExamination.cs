using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Settings;
using KcdDelegation.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>A realm with the account gw, the users ada and bob and the service HTTP/app, whose backend the doctor examines.</summary>
internal sealed class BackendExamination : IAsyncDisposable
{
    public TestRealm Realm { get; } =
        TestRealm.Start().User("ada").User("bob").Account("gw", mayDelegateTo: ["HTTP/app"]).Service("HTTP/app").Service("HTTP/other");

    /// <summary>Changes the request.</summary>
    public Func<DoctorRequest, DoctorRequest> Change { get; set; } = request => request;

    /// <summary>Changes the settings of the application after they were parsed.</summary>
    public Func<ApplicationSettings, ApplicationSettings> ChangeSettings { get; set; } = settings => settings;

    /// <summary>Examines the backend and returns its findings.</summary>
    public async Task<IReadOnlyList<DoctorFinding>> ExamineAsync(DelegatedApplication application)
    {
        var options = Realm.CreateOptions("gw");
        application.ServicePrincipalName ??= "HTTP/app";
        application.UserRealm = Realm.Name;
        options.Applications["app"] = application;
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join("; ", errors));
        var changed = ChangeSettings(settings!.Applications["app"]);
        settings = settings with
        {
            Applications = System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(
                new Dictionary<string, ApplicationSettings> { ["app"] = changed }),
        };
        var request = Change(new DoctorRequest
        {
            Settings = settings,
            User = new DoctorUser("ada", null),
            OtherUser = new DoctorUser("bob", null),
            Only = [.. DelegationDoctor.Checks.Select(check => check.Id).Where(id => id.StartsWith("backend.", StringComparison.Ordinal))],
            AnswerTimeout = TimeSpan.FromSeconds(5),
            LoggerFactory = NullLoggerFactory.Instance,
        });
        var report = await DelegationDoctor.ExamineAsync(request, progress: null, TestContext.Current.CancellationToken);
        foreach (var text in report.Findings.SelectMany(finding => finding.Evidence.Append(finding.Text)))
            text.ShouldNotContain(c => char.IsControl(c), "what a backend says is printed");
        return report.Findings;
    }

    public Task<IReadOnlyList<DoctorFinding>> ExamineAsync(Uri url) =>
        ExamineAsync(new DelegatedApplication { InternalUrl = url, AllowPlainHttp = url.Scheme == "http" });

    public async Task<IReadOnlyList<DoctorFinding>> ExamineAsync(TestBackendOptions options, string service = "HTTP/app")
    {
        await using var backend = await TestBackend.StartAsync(Realm, service, options, TestContext.Current.CancellationToken);
        if (options.Https)
        {
            var change = Change;
            Change = request => change(request with { CreateHandler = () => CreateTrusting(backend) });
        }
        var application = backend.CreateApplication();
        application.ServicePrincipalName = "HTTP/app";
        return await ExamineAsync(application);
    }

    public ValueTask DisposeAsync() => Realm.DisposeAsync();

    private static SocketsHttpHandler CreateTrusting(TestBackend backend)
    {
        var handler = new SocketsHttpHandler();
        backend.TrustCertificate(handler);
        return handler;
    }
}

/// <summary>Assertions on findings.</summary>
internal static class Findings
{
    public static DoctorFinding Get(this IReadOnlyList<DoctorFinding> findings, string check) =>
        findings.Single(finding => finding.Check == check);

    /// <summary>Asserts that one check found a fault and every later one was skipped because of it.</summary>
    public static DoctorFinding ShouldHaveOneFault(this IReadOnlyList<DoctorFinding> findings, string check)
    {
        var fault = findings.Where(finding => finding.Verdict == DoctorVerdict.Fix).ShouldHaveSingleItem(Describe(findings));
        fault.Check.ShouldBe(check, Describe(findings));
        fault.Remedy.ShouldNotBeNullOrEmpty();
        foreach (var later in findings.SkipWhile(finding => finding.Check != check).Skip(1))
            later.Verdict.ShouldBe(DoctorVerdict.Skipped, later.Check);
        return fault;
    }

    public static void ShouldBeOk(this IReadOnlyList<DoctorFinding> findings) =>
        findings.ShouldAllBe(finding => finding.Verdict == DoctorVerdict.Ok, Describe(findings));

    public static string Describe(this IReadOnlyList<DoctorFinding> findings) => string.Join('\n', findings.Select(finding =>
        $"{finding.Verdict} {finding.Check}: {finding.Text} [{string.Join("; ", finding.Evidence)}]"));
}
