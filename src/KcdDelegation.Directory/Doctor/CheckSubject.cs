using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Names;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The subject of one check, and the factory of its finding.</summary>
internal sealed record CheckSubject(
    DoctorRequest Request,
    DoctorCheck Check,
    AccountFacts Account,
    UserFacts? User,
    ApplicationFacts? Application,
    IReadOnlyList<ApplicationFacts> Applications)
{
    private const int MaxText = 8000;

    /// <summary>Gets the failure of an exchange that this check explains, or null.</summary>
    public KerberosException? Fault { get; init; }

    public string Name => Check.Scope switch
    {
        CheckScope.Application => Application!.Name,
        CheckScope.User => User?.Principal.Name ?? "token",
        _ => $"{Account.Name}@{Account.Realm}",
    };

    /// <summary>Creates the finding for the expected state. The text adds to the title of the check, or is empty.</summary>
    public DoctorFinding Ok(string text, params IEnumerable<string> evidence) => Create(DoctorVerdict.Ok, text, evidence);

    public DoctorFinding Look(string text, string remedy, params IEnumerable<string> evidence) =>
        Create(DoctorVerdict.Look, text, evidence, remedy);

    public DoctorFinding Fix(string text, string remedy, params IEnumerable<string> evidence) =>
        Create(DoctorVerdict.Fix, text, evidence, remedy);

    public DoctorFinding Skip(string because, bool isNoAnswer = false) =>
        Create(DoctorVerdict.Skipped, because, []) with { IsNoAnswer = isNoAnswer };

    /// <summary>Creates the finding for a refused exchange whose cause is known better than the answer shows it.</summary>
    public DoctorFinding Explain(KerberosException error, string text, string remedy, params IEnumerable<string> evidence) =>
        Explain(error, remedy, evidence) with { Text = text };

    /// <summary>Creates the finding for a refused exchange: cause and remedy of the catalogue.</summary>
    public DoctorFinding Explain(KerberosException error, string? remedy = null, params IEnumerable<string> evidence)
    {
        var explained = KcdException.Explain(Account.WithSoftware(error));
        var cause = explained.Cause;
        var bracket = cause.LastIndexOf(" [", StringComparison.Ordinal);
        var (text, answer) = bracket > 0 ? (cause[..bracket], cause[(bracket + 2)..].TrimEnd(']')) : (cause, cause);
        var source = error.Exchange is KerberosExchange.Configuration or KerberosExchange.KdcLookup ? "Error" : "The KDC's answer";
        return Fix(text, remedy ?? explained.Remedy, [$"{source}: {answer}", .. evidence]) with { IsNoAnswer = error.IsTransient };
    }

    /// <summary>Returns the names of this subject, formatted for sentences and for commands.</summary>
    public ErrorNames Names(KerberosExchange exchange = KerberosExchange.S4U2Proxy) => new(Account.Describe(new KerberosFailure
    {
        Exchange = exchange,
        User = User?.Principal ?? Application?.User?.Principal,
        Service = Application?.Service,
    }));

    /// <summary>Creates the finding. Names of the directory, of DNS and of servers are in its texts, and may contain any
    /// character.</summary>
    private DoctorFinding Create(DoctorVerdict verdict, string text, IEnumerable<string> evidence, string? remedy = null) => new()
    {
        Check = Check.Id,
        Stage = Check.Stage,
        Verdict = verdict,
        Subject = PrintableText.From(Name, MaxText),
        Title = Check.Title,
        Text = PrintableText.From(text, MaxText),
        Evidence = [.. evidence.Select(line => PrintableText.From(line, MaxText))],
        Remedy = remedy is null ? null : PrintableText.From(remedy, MaxText),
        Commands = remedy is null ? [] : RemedyCommands.From(PrintableText.From(remedy, MaxText)),
        Proof = verdict is DoctorVerdict.Fix or DoctorVerdict.Look ? $"{Request.CommandLine} --only {Check.Id}" : null,
        Help = Check.Help,
    };
}
