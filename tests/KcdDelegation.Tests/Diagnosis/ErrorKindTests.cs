using System.Net;
using System.Text.RegularExpressions;
using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos;
using KcdDelegation.Tests.Conventions;

namespace KcdDelegation.Tests.Diagnosis;

/// <summary>Tests that every row of the catalogue has the kind that was decided for it, and that kinds have their HTTP status.</summary>
public sealed partial class ErrorKindTests
{
    /// <summary>The kind of each row, by the heading of docs/troubleshooting.md.</summary>
    private const string Decided = """
        AccountNotForwardable: Configuration
        AccountSuperseded: Configuration
        PreAuthenticationNotSupported and the text NEEDED_HW_PREAUTH: Configuration
        PreAuthenticationNotSupported: Configuration
        EvidenceNotForwardable: UserNotPermitted
        KdcNotFound: Configuration
        KdcUnreachable: Unavailable
        KeyUnavailable in S4U2Self, RealmDiscovery for a type without a key: Configuration
        KeyUnavailable in S4U2Self, RealmDiscovery with a managed password: Configuration
        KeyUnavailable in S4U2Self, RealmDiscovery with a password: Configuration
        KeyUnavailable in S4U2Self, RealmDiscovery: Configuration
        KeyUnavailable for a file with msDS-ManagedPassword: Configuration
        KeyUnavailable for a managed password: AccountDisabled: Configuration
        KeyUnavailable for a managed password: AccountNotFound: Configuration
        KeyUnavailable for a managed password: Malformed: Configuration
        KeyUnavailable for a managed password: NotEncrypted: Configuration
        KeyUnavailable for a managed password: NotPermitted: Configuration
        KeyUnavailable for a managed password: ReaderRefused: Configuration
        KeyUnavailable for a managed password: Unavailable: Unavailable
        KeyUnavailable with a password: Configuration
        KeyUnavailable: Configuration
        KeyRejected: Configuration
        EncryptionTypeRefused in S4U2Self, RealmDiscovery: Configuration
        EncryptionTypeRefused: Configuration
        IdentityMismatch if the user is the delegating account: UserNotPermitted
        IdentityMismatch for an alias of the account: UserNotPermitted
        IdentityMismatch: UserNotPermitted
        NameMismatch: Configuration
        Overloaded: Unavailable
        ReplyRejected in MutualAuthentication: Configuration
        ReplyRejected: Configuration
        TokenRejected: NotAuthenticated
        Any code with STATUS_TOO_MANY_CONTEXT_IDS: UserNotPermitted
        Any code with STATUS_SMARTCARD_LOGON_REQUIRED in LogOn, Configuration, KdcLookup: Configuration
        Any code with STATUS_SMARTCARD_LOGON_REQUIRED: UserNotPermitted
        Any code with STATUS_ACCESS_DENIED in S4U2Self, RealmDiscovery: Configuration
        KDC_ERR_BADOPTION with STATUS_NOT_FOUND: Configuration
        KDC_ERR_BADOPTION with STATUS_NOT_SUPPORTED: Configuration
        KDC_ERR_BADOPTION with STATUS_NO_MATCH: Configuration
        KDC_ERR_BADOPTION with STATUS_ACCOUNT_RESTRICTION: UserNotPermitted
        KDC_ERR_BADOPTION with STATUS_CROSSREALM_DELEGATION_FAILURE: Configuration
        KDC_ERR_BADOPTION in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_BADOPTION: Configuration
        KDC_ERR_C_PRINCIPAL_UNKNOWN in LogOn, Configuration, KdcLookup if the realm is in lower case: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN in LogOn, Configuration, KdcLookup if the realm is in lower case: Configuration
        KDC_ERR_C_PRINCIPAL_UNKNOWN in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_C_PRINCIPAL_UNKNOWN in RealmDiscovery: UserNotPermitted
        KDC_ERR_C_PRINCIPAL_UNKNOWN: UserNotPermitted
        KDC_ERR_S_PRINCIPAL_UNKNOWN in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN in S4U2Self, RealmDiscovery at the KDC of another realm: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN in S4U2Self, RealmDiscovery: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN in Referral: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN for an SPN of the class HTTPS: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN for an SPN with a port: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN and the text SERVER LOCKED OUT: Configuration
        KDC_ERR_S_PRINCIPAL_UNKNOWN: Configuration
        KDC_ERR_PRINCIPAL_NOT_UNIQUE: Configuration
        KDC_ERR_WRONG_REALM: Configuration
        KRB_AP_ERR_BADMATCH: Configuration
        KDC_ERR_SERVER_NOMATCH: Configuration
        KDC_ERR_MUST_USE_USER2USER in S4U2Self, RealmDiscovery: Configuration
        KDC_ERR_MUST_USE_USER2USER: Configuration
        KDC_ERR_SERVICE_EXP: Configuration
        KDC_ERR_SERVICE_REVOKED: Configuration
        KDC_ERR_NAME_EXP in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_NAME_EXP: UserNotPermitted
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_DISABLED in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_LOCKED_OUT in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_EXPIRED in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_CLIENT_REVOKED with STATUS_INVALID_LOGON_HOURS in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_DISABLED in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_LOCKED_OUT in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_CLIENT_REVOKED with STATUS_ACCOUNT_EXPIRED in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_CLIENT_REVOKED with STATUS_INVALID_LOGON_HOURS in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_CLIENT_REVOKED in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_CLIENT_REVOKED: UserNotPermitted
        KDC_ERR_KEY_EXPIRED in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_KEY_EXPIRED: UserNotPermitted
        KDC_ERR_NULL_KEY: Configuration
        KDC_ERR_PREAUTH_FAILED with a password: Configuration
        KDC_ERR_PREAUTH_FAILED: Configuration
        KDC_ERR_PREAUTH_REQUIRED: Configuration
        KDC_ERR_POLICY with STATUS_AUTHENTICATION_FIREWALL_FAILED: Configuration
        KDC_ERR_POLICY in S4U2Self, RealmDiscovery: UserNotPermitted
        KDC_ERR_POLICY in S4U2Proxy: UserNotPermitted
        KDC_ERR_POLICY: Configuration
        KDC_ERR_PATH_NOT_ACCEPTED: Configuration
        KDC_ERR_ETYPE_NOSUPP in LogOn, Configuration, KdcLookup: Configuration
        KDC_ERR_ETYPE_NOSUPP in S4U2Self, RealmDiscovery: Configuration
        KDC_ERR_ETYPE_NOSUPP: Configuration
        KDC_ERR_PADATA_TYPE_NOSUPP: Configuration
        KDC_ERR_TGT_REVOKED: Configuration
        KRB_AP_ERR_BAD_INTEGRITY: Configuration
        KRB_AP_ERR_TKT_EXPIRED: Unavailable
        KRB_AP_ERR_TKT_NYV: Unavailable
        KRB_AP_ERR_SKEW: Unavailable
        KRB_AP_ERR_REPEAT: Unavailable
        KRB_AP_ERR_NOT_US: Configuration
        KRB_AP_ERR_MODIFIED: Configuration
        KRB_AP_ERR_BADKEYVER: Configuration
        KRB_AP_ERR_NOKEY: Configuration
        KRB_AP_ERR_INAPP_CKSUM: Configuration
        KRB_ERR_RESPONSE_TOO_BIG: Configuration
        KDC_ERR_SVC_UNAVAILABLE: Unavailable
        KRB_ERR_GENERIC and the text NO HW PREAUTH: Configuration
        KRB_ERR_GENERIC and the text NO PREAUTH: Configuration
        KRB_ERR_FIELD_TOOLONG: Configuration
        KRB_ERR_GENERIC: Unavailable
        KRB_AP_ERR_MODIFIED in MutualAuthentication: Configuration
        KRB_AP_ERR_NOKEY in MutualAuthentication: Configuration
        KRB_AP_ERR_BADKEYVER in MutualAuthentication: Configuration
        KRB_AP_ERR_SKEW in MutualAuthentication: Unavailable
        KdcError in MutualAuthentication: Configuration
        Any other error: Configuration
        """;

    [Fact]
    public void The_kind_of_each_row_was_decided()
    {
        var decided = Decided.Split('\n', StringSplitOptions.TrimEntries);

        ErrorCatalogue.Rows.Select(row => $"{GetTitle(row)}: {row.Kind}").Order(StringComparer.Ordinal)
            .ShouldBe(decided.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_source_that_creates_a_failure_states_its_kind()
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) != "DelegationFailure.cs" && !path.Contains("/obj/", StringComparison.Ordinal));
        var creations = sources.SelectMany(path => Creation().Matches(File.ReadAllText(path))
            .Select(match => $"{Path.GetFileName(path)}: {match.Value}")).ToList();

        creations.Count.ShouldBeGreaterThan(20);
        creations.Where(creation => !creation.Contains("Kind", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void Failures_of_the_delegating_account_are_never_attributed_to_the_user() =>
        ErrorCatalogue.Rows.Where(row => row.EventId == KcdEventId.NoCredentials)
            .ShouldAllBe(row => row.Kind == KcdErrorKind.Configuration || row.Kind == KcdErrorKind.Unavailable);

    [Fact]
    public void Failures_at_the_stage_of_identity_are_never_attributed_to_the_operator() =>
        ErrorCatalogue.Rows.Where(row => row.Stage == KcdStage.Identity)
            .ShouldAllBe(row => row.Kind == KcdErrorKind.UserNotPermitted || row.Kind == KcdErrorKind.NotAuthenticated);

    [Fact]
    public void A_transient_failure_is_unavailable_whatever_its_row_says()
    {
        var error = new KerberosFailure { Reason = KerberosFailureReason.KdcNotFound };

        KcdException.Explain(new KerberosException(error)).Kind.ShouldBe(KcdErrorKind.Configuration);
        KcdException.Explain(new KerberosException(error with { IsTransient = true })).Kind.ShouldBe(KcdErrorKind.Unavailable);
    }

    [Theory]
    [InlineData(KcdErrorKind.Configuration, HttpStatusCode.Forbidden)]
    [InlineData(KcdErrorKind.UserNotPermitted, HttpStatusCode.Forbidden)]
    [InlineData(KcdErrorKind.BadRequest, HttpStatusCode.BadRequest)]
    [InlineData(KcdErrorKind.Unavailable, HttpStatusCode.ServiceUnavailable)]
    [InlineData(KcdErrorKind.NotAuthenticated, HttpStatusCode.Unauthorized)]
    public void Each_kind_has_an_HTTP_status(KcdErrorKind kind, HttpStatusCode status) =>
        new DelegationFailure(KcdStage.Delegation, kind, KcdEventId.NoTicket, "It failed.", "Repair it.").ToException()
            .StatusCode.ShouldBe(status);

    /// <summary>The creation of a failure, with its first two arguments.</summary>
    [GeneratedRegex(@"(?:new DelegationFailure\(\s*[^,]+,\s*[^,]+,|DelegationFailure\.Identity\(\s*[^,]+,)", RegexOptions.None,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex Creation();

    private static string GetTitle(CatalogueRow row)
    {
        var name = row.Code is { } code ? new KerberosException(new KerberosFailure { Code = code }).CodeName
            : row.Reason?.ToString() ?? (row.NtStatus is null ? "Any other error" : "Any code");
        var status = row.NtStatus is { } value ? $" with {NtStatusNames.Get(value)}" : "";
        var steps = row.In.Count > 0 ? $" in {string.Join(", ", row.In)}" : "";
        return $"{name}{status}{steps}{(row.When is null ? "" : $" {row.When.Description}")}";
    }
}
