using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Tool.Output;

namespace KcdDelegation.Tool.Tests.Doctor;

/// <summary>Reports for the tests of their presentation.</summary>
internal static class ExampleReports
{
    /// <summary>Texts that are markup, a script, a request, a terminal's control sequence, or change the direction of text.</summary>
    public const string Hostile =
        "<script>document.title='run'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>"
        + "\"'><b>&amp;\u001b[31m\u202egnp\u2066\r\n\0";

    /// <summary>Creates a report with every verdict.</summary>
    public static DoctorReport CreateMixed() => Create(
        Ok("user.account", DoctorStage.Identity, "alice", "Exactly one account has the name.",
            "It is CN=alice,CN=Users,DC=contoso,DC=com.", "S-1-5-21-1111111111-2222222222-3333333333-1104"),
        Find(DoctorVerdict.Look, "user.ticket-size", DoctorStage.Identity, "alice",
            "The user's ticket fits the header limits of the usual servers.",
            "The header has 15,870 bytes. Servers with a limit of 16 KB refuse it soon.",
            "Remove the user from groups that the application does not need.", "Length of the header: 15870 bytes", "Groups: 642"),
        Ok("kdc.tcp", DoctorStage.Delegation, "svc-gateway@CONTOSO.COM", "Every KDC answers over TCP.", "",
            "dc1.contoso.com:88: 3 ms", "dc2.contoso.com:88: 4 ms"),
        Ok("account.known", DoctorStage.Delegation, "svc-gateway@CONTOSO.COM", "The KDC knows the account in this realm.", ""),
        Find(DoctorVerdict.Fix, "account.forwardable", DoctorStage.Delegation, "svc-gateway@CONTOSO.COM",
            "The account itself may be delegated, and so may delegate.",
            "The account's own ticket is not forwardable, so it cannot delegate any user.",
            "Allow the account to be delegated: Active Directory `Set-ADUser svc-gateway -AccountNotDelegated $false`.",
            "Flags: Renewable") with
        {
            Commands = [new DoctorCommand(null, "Set-ADUser svc-gateway -AccountNotDelegated $false")],
        },
        Find(DoctorVerdict.Fix, "delegation.list", DoctorStage.Delegation, "erp",
            "A delegation list allows the account to delegate to the application.",
            "No delegation list allows svc-gateway to delegate to HTTP/erp.contoso.com.",
            "Add the SPN to the account's list.", "The list has: HTTP/mail.contoso.com, HTTP/wiki.contoso.com:8443",
            "The KDC's answer: KDC_ERR_BADOPTION in S4U2Proxy for HTTP/erp.contoso.com as alice@CONTOSO.COM by svc-gateway at "
                + "CONTOSO.COM") with
        {
            Commands =
            [
                new DoctorCommand("Active Directory",
                    "Set-ADUser -Identity 'svc-gateway' -Server 'contoso.com' -Add @{'msDS-AllowedToDelegateTo'='HTTP/erp.contoso.com'}"),
                new DoctorCommand("Samba", "samba-tool delegation add-service 'svc-gateway' 'HTTP/erp.contoso.com'"),
            ],
        },
        Skip("delegation.ticket", DoctorStage.Delegation, "erp", "The account gets a ticket to the application in the user's name.",
            "The KDC refuses a ticket to HTTP/erp.contoso.com (check delegation.list)."),
        Skip("target.spn", DoctorStage.Delegation, "erp", "Exactly one account holds the service principal name of the application.",
            "The KDC refuses a ticket to HTTP/erp.contoso.com (check delegation.list)."),
        Ok("domain.krbtgt", DoctorStage.Domain, "svc-gateway@CONTOSO.COM", "The account krbtgt is not marked as sensitive.", "",
            "CN=krbtgt,CN=Users,DC=contoso,DC=com"));

    /// <summary>Creates a report whose every text is hostile.</summary>
    public static DoctorReport CreateHostile() => Create(
        Ok(Hostile, DoctorStage.Identity, Hostile, Hostile, Hostile, Hostile),
        Find(DoctorVerdict.Fix, Hostile, DoctorStage.Delegation, Hostile, Hostile, Hostile, $"{Hostile} `{Hostile}`", Hostile) with
        {
            Commands = [new DoctorCommand(Hostile, Hostile), new DoctorCommand(null, new string('x', 4000))],
        },
        Find(DoctorVerdict.Look, Hostile, DoctorStage.Target, new string('y', 500), Hostile, new string('z', 2000), Hostile, Hostile),
        Skip(Hostile, DoctorStage.Domain, Hostile, Hostile, Hostile));

    /// <summary>Creates a report of OK findings.</summary>
    public static DoctorReport CreateHealthy() => Create(
        [.. CreateMixed().Findings.Where(finding => finding.Verdict == DoctorVerdict.Ok)]);

    public static DoctorReport Create(params DoctorFinding[] findings) => new(
        new DateTimeOffset(2026, 11, 27, 18, 30, 0, TimeSpan.Zero), TimeSpan.FromSeconds(2.4),
        [.. findings.Select((finding, index) => finding with { Number = index + 1 })],
        [new SettingsDigestLine("Applications:erp:Realm", "CONTOSO.COM")]);

    public static DoctorResult ToResult(DoctorReport report) => DoctorResult.FromReport(report, "/etc/kcd/gateway.json", isWritten: false);

    public static DoctorFinding Ok(
        string check, DoctorStage stage, string subject, string title, string text, params IReadOnlyList<string> evidence) =>
        Create(DoctorVerdict.Ok, check, stage, subject, title, text) with { Evidence = evidence };

    public static DoctorFinding Skip(string check, DoctorStage stage, string subject, string title, string because) =>
        Create(DoctorVerdict.Skipped, check, stage, subject, title, because);

    public static DoctorFinding Find(
        DoctorVerdict verdict,
        string check,
        DoctorStage stage,
        string subject,
        string title,
        string text,
        string remedy,
        params IReadOnlyList<string> evidence) => Create(verdict, check, stage, subject, title, text) with
        {
            Evidence = evidence,
            Remedy = remedy,
            Proof = $"kcd doctor --config /etc/kcd/gateway.json --app erp --user alice --only {check}",
        };

    private static DoctorFinding Create(
        DoctorVerdict verdict, string check, DoctorStage stage, string subject, string title, string text) => new()
        {
            Check = check,
            Stage = stage,
            Verdict = verdict,
            Subject = subject,
            Title = title,
            Text = text,
            Help = $"check-{check.Replace('.', '-')}",
        };
}
