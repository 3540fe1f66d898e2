using KcdDelegation.Diagnosis;
using KcdDelegation.DirectoryServices.Doctor;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.InteropTests.Diagnosis;

/// <summary>The checks of <c>kcd doctor</c> that find the causes of the catalogue, as <see cref="FaultAttribution"/> assigns
/// them.</summary>
internal static class FoundBy
{
    private const string BackendTicket = "backend.ticket";

    private static readonly KerberosExchange[] ExchangesWithKdc =
        [KerberosExchange.LogOn, KerberosExchange.S4U2Self, KerberosExchange.S4U2Proxy];

    /// <summary>The checks of exchanges whose cause has no check of its own.</summary>
    private static readonly string[] Remaining = [CheckIds.AccountLogOn, CheckIds.Ticket];

    private static readonly ServicePrincipalName Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com");

    /// <summary>Changes of an error for which a condition of the catalogue is true.</summary>
    private static readonly Func<KerberosFailure, CatalogueRow, KerberosFailure>[] Variants =
    [
        (failure, _) => failure,
        (failure, row) => failure with { KdcText = row.When?.Description.Replace("and the text ", "", StringComparison.Ordinal) },
        (failure, _) => failure with { Realm = "contoso.com", AccountRealm = "contoso.com" },
        (failure, _) => failure with { Realm = "FABRIKAM.COM" },
        (failure, _) => failure with { Service = ServicePrincipalName.Parse("HTTPS/erp.contoso.com") },
        (failure, _) => failure with { Service = ServicePrincipalName.Parse("HTTP/erp.contoso.com:8443") },
        (failure, _) => failure with { KeySource = AccountKeySource.Password },
        (failure, _) => failure with { KeySource = AccountKeySource.ManagedPassword },
        (failure, _) => failure with { Detail = "msDS-ManagedPassword" },
        (failure, _) => failure with { Detail = "a is an alias of b" },
        (failure, _) => failure with { Detail = "it has no key of that type" },
        (failure, _) => failure with { User = KerberosPrincipal.Principal("svc-gateway", "CONTOSO.COM") },
    ];

    /// <summary>Returns the identifiers of the checks; more than one if the exchange or facts of the directory decide.</summary>
    public static async Task<IReadOnlyList<string>> FindAsync(CatalogueRow row)
    {
        if (row.Stage == KcdStage.Target || row.In.Contains(KerberosExchange.MutualAuthentication))
            return DelegationDoctor.Checks.Any(check => check.Id == BackendTicket) ? [BackendTicket] : [];
        await using var account = CreateAccount();
        UserFacts[] users =
        [
            new(account, KerberosPrincipal.Principal("ada", "CONTOSO.COM")),
            new(account, KerberosPrincipal.Principal("ada", "FABRIKAM.COM")),
        ];
        var checks = new List<string>();
        foreach (var exchange in row.In.Count > 0 ? row.In : ExchangesWithKdc)
        {
            foreach (var error in CreateErrors(row, exchange))
            {
                if (exchange is KerberosExchange.LogOn or KerberosExchange.Configuration or KerberosExchange.KdcLookup)
                    checks.Add(FaultAttribution.OfLogOn(error, isAnswering: false));
                else if (FindDecidedByFacts(error) is { } several)
                    checks.AddRange(several);
                else
                    await AddAsync(error);
            }
        }
        // The failure of a read of a managed password is not an error that this class can create.
        if (checks.Count == 0)
            checks.Add(FaultAttribution.OfLogOn(CreatePlain(row, KerberosExchange.LogOn), isAnswering: false));
        var specific = checks.Except(Remaining, StringComparer.Ordinal).ToList();
        return specific.Count > 0 ? specific : [.. checks.Distinct(StringComparer.Ordinal)];

        async Task AddAsync(KerberosException error)
        {
            foreach (var user in users)
            {
                var application = error.Exchange == KerberosExchange.S4U2Proxy ? CreateApplication(account, user) : null;
                checks.Add(await FaultAttribution.FindAsync(error, account, user, null, application, CancellationToken.None));
            }
        }
    }

    /// <summary>Returns the checks between which the directory decides, or null if the error decides alone.</summary>
    private static string[]? FindDecidedByFacts(KerberosException error) => error switch
    {
        { Reason: KerberosFailureReason.EvidenceNotForwardable } => [CheckIds.AccountAnyProtocol, CheckIds.UserDelegation],
        { Exchange: KerberosExchange.S4U2Proxy, Code: KerberosErrorCode.ServicePrincipalUnknown, KdcText: not "SERVER LOCKED OUT" }
            or { Exchange: KerberosExchange.S4U2Proxy, Code: KerberosErrorCode.PrincipalNotUnique } =>
            [CheckIds.TargetSpn, CheckIds.TargetAccount],
        { Exchange: KerberosExchange.S4U2Self or KerberosExchange.RealmDiscovery, Code: KerberosErrorCode.BadOption } =>
            [CheckIds.UserDelegation, CheckIds.AccountForwardable],
        { Exchange: KerberosExchange.S4U2Self or KerberosExchange.RealmDiscovery, Code: KerberosErrorCode.ClientPrincipalUnknown } =>
            [CheckIds.UserAccount, CheckIds.Trust],
        _ => null,
    };

    /// <summary>Creates the errors of the exchange that the row explains.</summary>
    private static IEnumerable<KerberosException> CreateErrors(CatalogueRow row, KerberosExchange exchange)
    {
        var plain = CreatePlain(row, exchange).Failure;
        return Variants.Select(change => new KerberosException(change(plain, row)))
            .Where(error => ErrorCatalogue.Rows.First(each => each.Matches(error)) == row).Take(1);
    }

    private static KerberosException CreatePlain(CatalogueRow row, KerberosExchange exchange) => new(new KerberosFailure
    {
        Exchange = exchange,
        Code = row.Code,
        NtStatus = row.NtStatus,
        Reason = row.Reason ?? KerberosFailureReason.KdcError,
        Realm = "CONTOSO.COM",
        AccountRealm = "CONTOSO.COM",
        Account = "svc-gateway",
        User = exchange == KerberosExchange.LogOn ? null : KerberosPrincipal.Principal("ada", "CONTOSO.COM"),
        Service = exchange == KerberosExchange.S4U2Proxy ? Service : null,
    });

    private static DoctorRequest Request => new() { Settings = Settings.Value, LoggerFactory = NullLoggerFactory.Instance };

    private static AccountFacts CreateAccount() => new(Request, Application.Client);

    private static ApplicationFacts CreateApplication(AccountFacts account, UserFacts user) => new(account, Application, user)
    {
        Backend = new BackendFacts(Request, account, Application, user, otherUser: null),
    };

    private static ApplicationSettings Application => Settings.Value.Applications["erp"];

    private static readonly Lazy<KcdSettings> Settings = new(() =>
    {
        // No error that reaches the facts needs an answer: there is no KDC, and the file with the key is not read.
        var options = new KcdOptions { Realm = "CONTOSO.COM", Kdcs = { "127.0.0.1:9" } };
        options.ServiceAccount.Name = "svc-gateway";
        options.ServiceAccount.Keytab = typeof(FoundBy).Assembly.Location;
        options.Applications["erp"] = new DelegatedApplication
        {
            InternalUrl = new Uri("https://erp.contoso.com/"), ServicePrincipalName = "HTTP/erp.contoso.com",
        };
        SettingsParser.TryParse(options, out var settings, out var errors).ShouldBeTrue(string.Join(' ', errors));
        return settings!;
    });
}
