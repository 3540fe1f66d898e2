using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation;

/// <summary>All settings of the library, as plain strings, numbers and lists, so that code and the configuration section <c>Kcd</c> set the
/// same type.</summary>
/// <remarks>The options are validated as a whole at the start and after each change of the configuration. All errors are reported together,
/// by configuration key. Not thread-safe: changing an object that is in use has no effect.</remarks>
public sealed class KcdOptions
{
    /// <summary>The Kerberos realm of the delegating account, such as <c>CONTOSO.COM</c>. In Active Directory it is the domain's DNS name
    /// in capitals.</summary>
    public string? Realm { get; set; }

    /// <summary>The account that delegates. Applications without their own account use it.</summary>
    public ServiceAccountOptions ServiceAccount { get; set; } = new();

    /// <summary>KDCs of <see cref="Realm"/>, tried in this order: <c>HOST</c>, <c>HOST:PORT</c> or <c>[IPv6]:PORT</c>. If the list is
    /// empty, krb5.conf and then DNS SRV records are used (RFC 4120 §7.2.3.2).</summary>
    public IList<string> Kdcs { get; } = [];

    /// <summary>Other realms by name, with their KDCs and the UPN suffixes of their users.</summary>
    public IDictionary<string, RealmOptions> Realms { get; } = new Dictionary<string, RealmOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The settings for the validation of tokens. If the host validates tokens itself and passes principals, set only
    /// <see cref="TokenOptions.TenantId"/> and the options that allow callers.</summary>
    public TokenOptions Token { get; set; } = new();

    /// <summary>The applications that may be called, by a name of your choice. Tickets are requested for these only.</summary>
    public IDictionary<string, DelegatedApplication> Applications { get; } =
        new Dictionary<string, DelegatedApplication>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Gets or sets how long a user's evidence (the S4U2Self ticket) is used before the KDC is asked for the user again.</summary>
    /// <remarks>A user who was disabled or deleted can get tickets to further services for this time. A shorter time costs one more
    /// exchange per active user and period.</remarks>
    public TimeSpan MaxEvidenceAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets how long a ticket to a service is used before a new one is requested.</summary>
    /// <remarks>A disabled user is delegated for the sum of this time and <see cref="MaxEvidenceAge"/> at most. A shorter time costs one
    /// more exchange per active user, service and period.</remarks>
    public TimeSpan MaxTicketAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the number of users who have connections to an application at a time.</summary>
    /// <remarks>The connections of a user who is idle are closed for another user. While all users have requests or open streams, a new
    /// user waits for <see cref="MaxConnectionWait"/> and is then refused. An idle user takes less than 75 KB.</remarks>
    public int MaxUsers { get; set; } = DefaultMaxUsers;

    /// <summary>Gets or sets the number of connections that one user uses at a time, each for a request or an open stream.</summary>
    /// <remarks>Further requests of the user wait for <see cref="MaxConnectionWait"/> and are then refused.</remarks>
    public int MaxConnectionsPerUser { get; set; } = DefaultMaxConnectionsPerUser;

    /// <summary>Gets or sets how long a request waits for a connection before it is refused. The refusal is transient.</summary>
    public TimeSpan MaxConnectionWait { get; set; } = DefaultMaxConnectionWait;

    /// <summary>Gets or sets the time budget of one ticket. It covers all exchanges, KDCs and referrals.</summary>
    public TimeSpan TicketTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets or sets the largest difference of a KDC's clock that is corrected. A larger one is an error.</summary>
    public TimeSpan MaxClockCorrection { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Gets or sets the largest number of tickets in the cache of one delegating account. The least used ones are evicted
    /// first.</summary>
    /// <remarks>A user takes one entry for their evidence and one per application.</remarks>
    public int MaxCacheEntries { get; set; } = 100_000;

    /// <summary>Gets or sets the largest total size in bytes of the tickets in the cache of one delegating account.</summary>
    /// <remarks>It is also the limit on the prepared headers of all tickets in use. A header takes four thirds of the bytes of its
    /// ticket.</remarks>
    public long MaxCacheBytes { get; set; } = 256L << 20;

    /// <summary>Gets or sets the remaining lifetime below which a cached ticket is no longer used.</summary>
    public TimeSpan MinimumRemainingLife { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Gets or sets how long before its end a ticket in use is renewed in the background.</summary>
    public TimeSpan RefreshAhead { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Gets or sets how long a KDC's refusal is repeated without asking again. Outages are never remembered.</summary>
    public TimeSpan RefusalLife { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets or sets the largest number of concurrent exchanges with the KDCs of one realm, for each delegating account.</summary>
    public int MaxConcurrentExchanges { get; set; } = 64;

    /// <summary>Gets or sets the largest number of exchanges that wait for <see cref="MaxConcurrentExchanges"/>. Further ones fail at once
    /// as overloaded.</summary>
    public int MaxQueuedExchanges { get; set; } = 20_000;

    internal const int DefaultMaxUsers = 10_000;

    internal const int DefaultMaxConnectionsPerUser = 256;

    internal static readonly TimeSpan DefaultMaxConnectionWait = TimeSpan.FromSeconds(10);

    /// <summary>Creates the source of managed passwords. Null if the host did not add the directory.</summary>
    internal Func<ManagedPasswordSettings, ILoggerFactory, TimeProvider, IManagedPasswordSource>? ManagedPasswordSource { get; set; }

    /// <summary>The path of the configuration section, for the keys in error messages.</summary>
    internal string Section { get; set; } = "Kcd";

    /// <summary>Whether the section that was bound has no settings, or does not exist.</summary>
    internal bool IsSectionEmpty { get; set; }

    /// <summary>Whether a proxy's clusters can have the addresses of applications, which then need no InternalUrl.</summary>
    internal bool ClustersHaveAddresses { get; set; }

    /// <summary>The keys and values of the configuration that could not be bound.</summary>
    internal IReadOnlyList<SettingsError> BindingErrors { get; set; } = [];
}

/// <summary>The account that delegates and the source of its key: exactly one of <see cref="Keytab"/>, <see cref="PasswordFile"/> and
/// <see cref="ManagedPassword"/>. Settings never contain the secret itself.</summary>
public sealed class ServiceAccountOptions
{
    /// <summary>The account's sAMAccountName (computers and gMSA end with <c>$</c>), or its principal name with an MIT KDC.</summary>
    public string? Name { get; set; }

    /// <summary>The path of a keytab file with AES keys of the account. The file is read again when it changes.</summary>
    public string? Keytab { get; set; }

    /// <summary>The path of a file that contains the account's password.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>Gets or sets how the password of a group managed service account (gMSA) is read from the directory; null for another
    /// source.</summary>
    public ManagedPasswordOptions? ManagedPassword { get; set; }

    /// <summary>Lets the account change the password in <see cref="PasswordFile"/> itself. Null: it is not changed.</summary>
    public PasswordRollSettings? PasswordRoll { get; set; }
}

/// <summary>The settings of an account that changes its own password, such as a computer account.</summary>
public sealed class PasswordRollSettings
{
    /// <summary>The age at which the password is changed: one hour to 365 days.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The time for which old passwords are kept, for tickets that were issued before a change. It must exceed the lifetime of
    /// tickets.</summary>
    public TimeSpan OldKeyLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Password servers of the realm (RFC 3244). If the list is empty, port 464 of the KDCs or DNS SRV records are
    /// used.</summary>
    public IList<string> Servers { get; } = [];
}

/// <summary>The settings for reading the password of a group managed service account from the directory. They need the package
/// KcdDelegation.Directory (<c>AddKcdDirectory</c>).</summary>
public sealed class ManagedPasswordOptions
{
    /// <summary>Gets or sets the sAMAccountName of the account that reads the password, usually the computer account of this host, such as
    /// <c>GATEWAY1$</c>. It must be among the account's PrincipalsAllowedToRetrieveManagedPassword.</summary>
    public string? Reader { get; set; }

    /// <summary>Gets or sets the path of a keytab with the reader's AES keys. The file is read again when it changes.</summary>
    public string? ReaderKeytab { get; set; }

    /// <summary>Gets the names of directory servers, such as <c>dc1.contoso.com</c>. If the list is empty, DNS SRV records are
    /// used.</summary>
    public IList<string> Servers { get; } = [];
}

/// <summary>The settings of another realm: its KDCs and the suffixes of its users.</summary>
public sealed class RealmOptions
{
    /// <summary>KDCs of the realm. If the list is empty, DNS SRV records are used.</summary>
    public IList<string> Kdcs { get; } = [];

    /// <summary>The NetBIOS name of the domain, for tokens whose claim <c>netbiosname</c> names the domain of the account.</summary>
    public string? NetBiosName { get; set; }

    /// <summary>Suffixes of user principal names (the part after the <c>@</c>) of users with accounts in this realm. A suffix belongs to
    /// one realm only.</summary>
    public IList<string> UserPrincipalSuffixes { get; } = [];

    /// <summary>Suffixes of tokens, each with the suffix that the directory has in its place, such as <c>contoso.com</c> with
    /// <c>contoso.usa</c>. It applies to login identities that are whole user principal names.</summary>
    /// <remarks>The users of both suffixes have their accounts in this realm.</remarks>
    public IDictionary<string, string> RewriteSuffixes { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
}

/// <summary>The settings for accepted tokens: one issuer, one tenant, one audience for each kind of token.</summary>
public sealed class TokenOptions
{
    /// <summary>The issuer's address, such as <c>https://login.microsoftonline.com/TENANT-ID/v2.0</c> for Microsoft Entra. Plain http is
    /// allowed for loopback addresses only.</summary>
    /// <remarks>The discovery document is <c>/.well-known/openid-configuration</c> below this address. An address of Entra may end with
    /// <c>?appid=CLIENT-ID</c>, for an application with its own signing key: Entra publishes these keys only there.</remarks>
    public string? Authority { get; set; }

    /// <summary>The only accepted value of <c>iss</c>, in tokens and in the discovery document; null for a value derived from
    /// <see cref="Authority"/>.</summary>
    /// <remarks>AD FS names a second issuer in its discovery document (<c>access_token_issuer</c>). It is accepted in access tokens. The
    /// derived value is the authority itself. For Microsoft Entra without <c>/v2.0</c> it is the issuer of version 1.0 tokens,
    /// <c>https://sts.windows.net/TENANT-ID/</c>.</remarks>
    public string? Issuer { get; set; }

    /// <summary>The required value of <c>aud</c> in access tokens for this gateway. It is compared exactly.</summary>
    public string? Audience { get; set; }

    /// <summary>Gets or sets the required value of <c>aud</c> in ID tokens: the identifier of the client that signs users in.</summary>
    public string? ClientId { get; set; }

    /// <summary>Gets or sets the kind of tokens that identify callers, where the call does not name it.</summary>
    /// <remarks>It applies to <see cref="DelegationClient.ValidateTokenAsync"/> and to principals that the host authenticated. A host that
    /// signs users in (cookies, OpenID Connect, SAML) sets <see cref="TokenKind.IdToken"/>. Otherwise, a user with roles and without scopes
    /// is taken for an application.</remarks>
    public TokenKind Kind { get; set; }

    /// <summary>Gets the scopes that every access token must have. ID tokens have none, so they are not checked.</summary>
    public IList<string> RequiredScopes { get; } = [];

    /// <summary>Gets the roles that every caller must have.</summary>
    public IList<string> RequiredRoles { get; } = [];

    /// <summary>The required value of <c>tid</c> in tokens and principals; null for an issuer without tenants.</summary>
    /// <remarks>It may be set alone, for principals that the host has authenticated. It is required with an <see cref="Authority"/> of
    /// Microsoft Entra, where it is the directory (tenant) id.</remarks>
    public string? TenantId { get; set; }

    /// <summary>Whether guests of the tenant may be delegated: <c>acct</c> = 1, <c>idp</c> of another directory, or <c>#EXT#</c> in the
    /// name.</summary>
    public bool AllowGuests { get; set; }

    /// <summary>Whether tokens of applications without a user may be delegated.</summary>
    /// <remarks>Such a token has an <c>idtyp</c> other than <c>user</c>, its own object or client as <c>sub</c>, or roles and no
    /// scope.</remarks>
    public bool AllowApplicationTokens { get; set; }
}
