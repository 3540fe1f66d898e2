namespace KcdDelegation;

/// <summary>All settings of the library, as plain strings, numbers and lists, so that code and configuration (section <c>Kcd</c>) bind the
/// same type. Read and checked as a whole at the start and after each change of the configuration; every
/// mistake is reported at once, by its configuration key. Not thread-safe: changing an object that is in use has no effect.</summary>
public sealed class KcdOptions
{
    /// <summary>The Kerberos realm of the delegating account, such as <c>CONTOSO.COM</c>; in Active Directory the domain's DNS name in
    /// capitals.</summary>
    public string? Realm { get; set; }

    /// <summary>The account that delegates, used by every application that has no account of its own.</summary>
    public ServiceAccountOptions ServiceAccount { get; set; } = new();

    /// <summary>KDCs of <see cref="Realm"/>, tried in this order: <c>HOST</c>, <c>HOST:PORT</c> or <c>[IPv6]:PORT</c>. None: found by
    /// DNS SRV records (RFC 4120 §7.2.3.2).</summary>
    public IList<string> Kdcs { get; } = [];

    /// <summary>Other realms by name: their KDCs, and the UPN suffixes of the users who live in them.</summary>
    public IDictionary<string, RealmOptions> Realms { get; } = new Dictionary<string, RealmOptions>(StringComparer.OrdinalIgnoreCase);

    /// <summary>How tokens are validated. Where the host validates them itself and passes principals, only
    /// <see cref="TokenOptions.TenantId"/>
    /// and what is allowed are set.</summary>
    public TokenOptions Token { get; set; } = new();

    /// <summary>The applications that may be called, by a name of your choice. Nothing else ever gets a ticket.</summary>
    public IDictionary<string, DelegatedApplication> Applications { get; } =
        new Dictionary<string, DelegatedApplication>(StringComparer.OrdinalIgnoreCase);

    /// <summary>The path of the configuration section, for the keys in error messages.</summary>
    internal string Section { get; set; } = "Kcd";
}

/// <summary>The account that delegates and where its key comes from: exactly one of <see cref="Keytab"/> and <see cref="PasswordFile"/>.
/// Secrets themselves are never settings.</summary>
public sealed class ServiceAccountOptions
{
    /// <summary>The account's sAMAccountName (computers and gMSA end with <c>$</c>), or its principal name where the KDC is
    /// MIT's.</summary>
    public string? Name { get; set; }

    /// <summary>Path of a keytab file with AES keys of the account. Read again when it changes.</summary>
    public string? Keytab { get; set; }

    /// <summary>Path of a file that holds the account's password.</summary>
    public string? PasswordFile { get; set; }
}

/// <summary>Another realm: how it is reached, and which users live in it.</summary>
public sealed class RealmOptions
{
    /// <summary>KDCs of the realm; none: found by DNS SRV records.</summary>
    public IList<string> Kdcs { get; } = [];

    /// <summary>Suffixes of user principal names (the part behind the <c>@</c>) whose users have their accounts in this realm. A suffix
    /// belongs to one realm only.</summary>
    public IList<string> UserPrincipalSuffixes { get; } = [];
}

/// <summary>Which tokens are believed: one issuer, one tenant, one audience.</summary>
public sealed class TokenOptions
{
    /// <summary>The issuer's address, under which <c>/.well-known/openid-configuration</c> is found; for Microsoft Entra
    /// <c>https://login.microsoftonline.com/TENANT-ID/v2.0</c>. https; plain http for loopback addresses only. Behind an address of Entra
    /// may stand
    /// <c>?appid=CLIENT-ID</c>, for an application with a signing key of its own: its keys are published there only.</summary>
    public string? Authority { get; set; }

    /// <summary>The only value of <c>iss</c> that is believed, in tokens and in the discovery document. Null: the
    /// <see cref="Authority"/> itself, and for Microsoft Entra without <c>/v2.0</c> the issuer of version 1.0 tokens,
    /// <c>https://sts.windows.net/TENANT-ID/</c>.</summary>
    public string? Issuer { get; set; }

    /// <summary>The value of <c>aud</c> that tokens for this gateway carry. Compared exactly.</summary>
    public string? Audience { get; set; }

    /// <summary>The value of <c>tid</c> that tokens and principals carry; those without are refused too. May stand alone, for principals
    /// that
    /// the host has authenticated. Required with an <see cref="Authority"/> of Microsoft Entra, where it is the directory (tenant) id.
    /// Null:
    /// the issuer has no tenants, and pinning it pins everything.</summary>
    public string? TenantId { get; set; }

    /// <summary>Whether guests of the tenant (<c>acct</c> = 1, or <c>#EXT#</c> in the name) may be delegated.</summary>
    public bool AllowGuests { get; set; }

    /// <summary>Whether tokens of applications without a user (<c>idtyp</c> = <c>app</c>) may be delegated.</summary>
    public bool AllowApplicationTokens { get; set; }
}
