using System.Collections.Frozen;
using KcdDelegation.Identity;

namespace KcdDelegation;

/// <summary>The settings of one application that identity mapping depends on. Immutable.</summary>
/// <remarks>The library creates one for each application from checked options. A mapper that calls another one passes on the context that
/// it was given, or a changed copy of it (<c>context with { LoginIdentity = … }</c>). The checks around every mapper do not depend on that
/// copy.</remarks>
public sealed record MappingContext
{
    private readonly string? _userRealm;

    /// <summary>Gets the application's name in the options.</summary>
    public required string ApplicationName { get; init; }

    /// <summary>Gets which of the caller's names the directory knows.</summary>
    public LoginIdentity LoginIdentity { get; init; }

    /// <summary>Gets the realm of the delegating account.</summary>
    public required string Realm { get; init; }

    /// <summary>Gets the realm of users whose name has no suffix; the delegating account's realm unless it is set.</summary>
    public string UserRealm
    {
        get => _userRealm ?? Realm;
        init => _userRealm = value;
    }

    /// <summary>Gets the realm of a user whose name does not say it; null if several realms are configured and none is set.</summary>
    internal string? ImpliedUserRealm => Realms.AreSeveral ? _userRealm : UserRealm;

    /// <summary>Gets the realms that the settings name.</summary>
    internal KnownRealms Realms { get; init; } = KnownRealms.None;

    /// <summary>Gets the realm of each listed suffix of user principal names. The options' suffixes are compared without case.</summary>
    public IReadOnlyDictionary<string, string> UserPrincipalSuffixes { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Gets the claim to read instead of the default ones of <see cref="LoginIdentity"/>; null: the default ones.</summary>
    public string? ClaimType { get; init; }

    /// <summary>Gets whether a <see cref="ClaimType"/> that users can set is read.</summary>
    public bool AllowUnsafeClaimType { get; init; }

    /// <summary>Gets whether a caller without the SID of their account is refused. It is checked after every mapper.</summary>
    public bool RequireSecurityIdentifier { get; init; }

    /// <summary>Gets whether guests of the tenant may be delegated.</summary>
    public bool AllowGuests { get; init; }
}
