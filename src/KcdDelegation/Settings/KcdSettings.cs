using System.Collections.Frozen;
using System.Collections.Immutable;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Settings;

/// <summary>The parsed and validated <see cref="KcdOptions"/>. Immutable. One instance is in force at a time; a request keeps the one that
/// it started with.</summary>
internal sealed record KcdSettings(FrozenDictionary<string, ApplicationSettings> Applications, TokenSettings? Token)
{
    /// <summary>The settings that turn a protection off.</summary>
    public IReadOnlyList<WeakenedSetting> Weakened { get; init; } = [];

    /// <summary>The limits of all engine clients.</summary>
    public ClientLimits Limits { get; init; } = ClientLimits.Default;
}

/// <summary>The settings of one application, with everything that a request to it depends on.</summary>
internal sealed record ApplicationSettings(
    string Name,
    Uri? InternalUrl,
    ServicePrincipalName Service,
    TokenFormat TokenFormat,
    AuthenticationStart Start,
    MutualAuthentication MutualAuthentication,
    bool ChannelBinding,
    bool ShareConnectionsBetweenUsers,
    ClientSettings Client,
    MappingContext Mapping,
    CallerPolicy Callers)
{
    /// <summary>The further origins of the application, in addition to that of the InternalUrl.</summary>
    public ImmutableArray<Uri> AdditionalOrigins { get; init; } = [];

    /// <summary>The values of the Host header that are allowed in addition to the one of the request's own target.</summary>
    public FrozenSet<string> AllowedHosts { get; init; } = [];

    /// <summary>Whether tickets may be sent to addresses with plain http.</summary>
    public bool AllowPlainHttp { get; init; }

    /// <summary>Whether encoded slashes and backslashes are allowed in paths below the InternalUrl's.</summary>
    public bool AllowEncodedSlashes { get; init; }

    /// <summary>Gets whether a certificate without a channel binding is refused.</summary>
    public bool RequireChannelBinding { get; init; }

    public ConnectionLimits Connections { get; init; } = ConnectionLimits.Default;
}

/// <summary>The settings that distinguish one engine client from another. Applications with equal values share one client; a change creates
/// a new one.</summary>
internal sealed record ClientSettings(string Realm, string AccountName, KeyFileKind KeyKind, string KeyPath, RealmKdcs Kdcs)
{
    public ClientLimits Limits { get; init; } = ClientLimits.Default;

    /// <summary>The settings for reading the account's password from the directory, or null for a key file.</summary>
    public ManagedPasswordSettings? ManagedPassword { get; init; }

    /// <summary>The schedule by which the account changes its own password, or null.</summary>
    public PasswordRoll? PasswordRoll { get; init; }
}

/// <summary>The schedule by which an account changes its own password, compared by value.</summary>
internal sealed record PasswordRoll(TimeSpan Interval, TimeSpan OldKeyLifetime, ImmutableArray<KdcEndpoint> Servers)
{
    public bool Equals(PasswordRoll? other) =>
        other is not null && Interval == other.Interval && OldKeyLifetime == other.OldKeyLifetime && Servers.SequenceEqual(other.Servers);

    public override int GetHashCode() => HashCode.Combine(Interval, OldKeyLifetime, Servers.Length);
}

internal enum KeyFileKind
{
    Keytab,
    PasswordFile,

    /// <summary>The keytab of the account that reads the managed password.</summary>
    ReaderKeytab,
}

/// <summary>The settings for reading the password of a managed service account.</summary>
/// <param name="Realm">The realm of the account and of its reader.</param>
/// <param name="Reader">The sAMAccountName of the reader.</param>
/// <param name="ReaderKeytab">The path of the reader's keytab.</param>
/// <param name="Servers">The names of directory servers, separated by spaces; empty for DNS.</param>
/// <param name="Kdcs">The KDCs of each realm.</param>
internal sealed record ManagedPasswordSettings(string Realm, string Reader, string ReaderKeytab, string Servers, RealmKdcs Kdcs)
{
    /// <summary>Creates the source. All settings of a process have the same one.</summary>
    public required Func<ManagedPasswordSettings, ILoggerFactory, TimeProvider, IManagedPasswordSource> CreateSource { get; init; }

    public ClientLimits Limits { get; init; } = ClientLimits.Default;
}

/// <summary>The configured KDCs of every realm, compared by value.</summary>
internal sealed class RealmKdcs(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>> byRealm) : IEquatable<RealmKdcs>
{
    private readonly int _hash = Hash(byRealm);

    public ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>> ByRealm { get; } = byRealm;

    public bool Equals(RealmKdcs? other) =>
        ReferenceEquals(this, other)
        || (other is not null && _hash == other._hash && ByRealm.Count == other.ByRealm.Count
            && ByRealm.Zip(other.ByRealm)
                .All(pair => pair.First.Key == pair.Second.Key && pair.First.Value.SequenceEqual(pair.Second.Value)));

    public override bool Equals(object? obj) => Equals(obj as RealmKdcs);

    public override int GetHashCode() => _hash;

    private static int Hash(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>> byRealm)
    {
        var hash = new HashCode();
        foreach (var (realm, kdcs) in byRealm)
        {
            hash.Add(realm, StringComparer.Ordinal);
            foreach (var kdc in kdcs)
                hash.Add(kdc);
        }
        return hash.ToHashCode();
    }
}

/// <summary>The settings for accepted tokens.</summary>
/// <param name="DiscoveryDocument">The address of the OpenID Connect discovery document.</param>
/// <param name="Issuer">The issuer of the tokens and of the document.</param>
/// <param name="Audience">The audience of access tokens; null if none are accepted.</param>
/// <param name="ClientId">The audience of ID tokens; null if none are accepted.</param>
/// <param name="IsEntra">Whether the issuer is Microsoft Entra, whose keys sign for every tenant.</param>
/// <param name="Callers">The policy for callers. If it has a tenant, the token must name it.</param>
internal sealed record TokenSettings(
    Uri DiscoveryDocument, string Issuer, string? Audience, string? ClientId, bool IsEntra, CallerPolicy Callers)
{
    /// <summary>Gets whether an access token must have a scope, or a role if it is an application's. Issuers with tenants always send
    /// one; their ID tokens have none.</summary>
    public bool RequiresScope => Callers.TenantId is not null;

    /// <summary>Determines whether the documents of the issuer are the same.</summary>
    public bool HasSameIssuer(TokenSettings other) =>
        DiscoveryDocument == other.DiscoveryDocument && Issuer == other.Issuer && IsEntra == other.IsEntra;
}
