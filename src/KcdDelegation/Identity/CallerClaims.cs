using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Identity;

/// <summary>The claims that delegation depends on, out of all claims of the caller's authenticated identities. Each has exactly one value,
/// or reading it is an error.</summary>
internal readonly struct CallerClaims
{
    private readonly ClaimsPrincipal _caller;
    private readonly Slots _slots;
    private readonly int _nameCount;
    private readonly TokenKind? _kind;
    private readonly bool _isOwnSubject;

    private CallerClaims(ClaimsPrincipal caller, in Slots slots, int nameCount, TokenKind? kind, bool isOwnSubject) =>
        (_caller, _slots, _nameCount, _kind, _isOwnSubject) = (caller, slots, nameCount, kind, isOwnSubject);

    /// <summary>Gets whether a claim carries a scope.</summary>
    public bool HasScope => _slots[Slots.Scope].Count > 0;

    /// <summary>Gets whether a claim of the token carries a role.</summary>
    public bool HasRole => _slots[Slots.Role].Count > 0;

    /// <summary>Gets the names of the claim that carries the login identity.</summary>
    public static ImmutableArray<string> GetNames(MappingContext context)
    {
        if (context.ClaimType is { } claim)
            return [claim];
        return ClaimSources.Names.TryGetValue(context.LoginIdentity, out var names)
            ? names
            : throw new ArgumentOutOfRangeException(nameof(context), context.LoginIdentity, "Not a login identity.");
    }

    /// <summary>Reads the claims in one pass.</summary>
    /// <param name="caller">The caller, of whose identities only the authenticated ones count.</param>
    /// <param name="names">The names of the claim that carries the login identity, three at most; empty if it is not read.</param>
    /// <exception cref="KcdException">The caller is not authenticated (13016).</exception>
    public static CallerClaims Read(ClaimsPrincipal caller, ImmutableArray<string> names)
    {
        var slots = default(Slots);
        var (isAuthenticated, isOwnSubject) = (false, false);
        TokenKind? kind = null;
        // An enumeration of an IEnumerable allocates, and .NET returns lists here. Other kinds of principals are copied.
        var identities = caller.Identities as List<ClaimsIdentity> ?? [.. caller.Identities];
        foreach (var identity in identities)
        {
            if (!identity.IsAuthenticated)
                continue;
            isAuthenticated = true;
            foreach (var claim in identity.Claims as List<Claim> ?? [.. identity.Claims])
                Add(claim, names, ref slots);
            // For each identity: one that the host adds may have another subject.
            isOwnSubject |= IsOwnSubject(slots);
            kind = identity.AuthenticationType switch
            {
                AuthenticationTypes.AccessToken => TokenKind.AccessToken,
                AuthenticationTypes.IdToken => kind ?? TokenKind.IdToken,
                _ => kind,
            };
        }
        return isAuthenticated
            ? new CallerClaims(caller, slots, names.Length, kind, isOwnSubject)
            : throw DelegationFailure.Identity(
                KcdErrorKind.NotAuthenticated, KcdEventId.NoIdentity,
                "The caller is not authenticated, so there is no user to delegate.",
                "Require authentication before this call, and pass the principal that it gives.").ToException();
    }

    /// <summary>Returns the kind of the token that the caller comes from.</summary>
    /// <param name="kindOfHost">The kind of tokens of principals that the library did not create.</param>
    public TokenKind GetKind(TokenKind kindOfHost) => _kind ?? kindOfHost;

    /// <summary>Returns the login identity's claim; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value, or is not text.</exception>
    public string? FindName() => FindText(Slots.FirstName, _nameCount, KcdEventId.NameRefused);

    /// <summary>Returns the tenant, by the raw name of its claim or the one that .NET maps it to; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value, or is not text.</exception>
    public string? FindTenant() => FindText(Slots.Tenant, 2, KcdEventId.TokenTenantWrong);

    /// <summary>Returns whether the caller is a member (0) or a guest of the tenant; null if no claim says so.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindAccountStatus() => Find(Slots.AccountStatus, 1)?.Value;

    /// <summary>Returns the directory that authenticated the caller; null if no claim names it.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindIdentityProvider() => Find(Slots.IdentityProvider, 2)?.Value;

    /// <summary>Returns the issuer of the token; null if no claim names it.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindIssuer() => Find(Slots.Issuer, 1)?.Value;

    /// <summary>Returns the SID of the on-premises account; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value, or is not text.</exception>
    public string? FindSecurityIdentifier() => FindText(Slots.SecurityIdentifier, 3, KcdEventId.NameRefused);

    /// <summary>Whether a claim names the domain of the caller's account.</summary>
    public bool HasDomain =>
        _slots[Slots.DnsDomain].Count + _slots[Slots.OnPremisesDomain].Count + _slots[Slots.NetBiosDomain].Count > 0;

    /// <exception cref="KcdException">The claim has more than one value, or is not text.</exception>
    public string? FindDnsDomain() => FindText(Slots.DnsDomain, 1, KcdEventId.DomainNotListed);

    /// <exception cref="KcdException">The claim has more than one value, or is not text.</exception>
    public string? FindOnPremisesDomain() => FindText(Slots.OnPremisesDomain, 1, KcdEventId.DomainNotListed);

    /// <exception cref="KcdException">The claim has more than one value, or is not text.</exception>
    public string? FindNetBiosDomain() => FindText(Slots.NetBiosDomain, 1, KcdEventId.DomainNotListed);

    /// <summary>Returns what shows that the caller is not a user, for a message; null if nothing does.</summary>
    /// <remarks>Entra sends <c>idtyp</c> only on request. Without it, a token of an application has its own object as the subject, and
    /// roles instead of scopes. The subject of RFC 9068 §2.2 is then the client. A user's ID token may have roles too, and never has
    /// scopes.</remarks>
    /// <param name="kindOfHost">The kind of tokens of principals that the library did not create.</param>
    /// <exception cref="KcdException">A claim has more than one value.</exception>
    public string? FindApplicationSign(TokenKind kindOfHost)
    {
        if (Find(Slots.IdentityType, 1) is { } type)
            return type.Value == "user" ? null : $"its idtyp is {PrintableText.Quoted(type.Value)}";
        if (_isOwnSubject)
            return "its sub is the application itself";
        return HasRole && !HasScope && GetKind(kindOfHost) == TokenKind.AccessToken ? "it has roles and no scope (scp)" : null;
    }

    /// <summary>Determines whether the caller has a scope. The scopes of a token are one text, separated by spaces (RFC 6749
    /// §3.3).</summary>
    public bool HasScopeNamed(string name) =>
        HasText(ClaimSources.IsScope, value => value.Split(' ').Contains(name, StringComparer.Ordinal));

    /// <summary>Determines whether the caller has a role. The name of a role may contain spaces.</summary>
    public bool HasRoleNamed(string name) => HasText(ClaimSources.IsRole, value => string.Equals(value, name, StringComparison.Ordinal));

    private bool HasText(Func<string, bool> isKind, Func<string, bool> isRight)
    {
        foreach (var identity in _caller.Identities)
        {
            if (identity.IsAuthenticated
                && identity.Claims.Any(claim => isKind(claim.Type) && IsText(claim) && isRight(claim.Value)))
                return true;
        }
        return false;
    }

    /// <summary>Adds a claim to its slot. Names are compared ordinally, because JSON member names that differ in case are different
    /// claims.</summary>
    private static void Add(Claim claim, ImmutableArray<string> names, ref Slots slots)
    {
        var policySlot = claim.Type switch
        {
            ClaimSources.Tenant => Slots.Tenant,
            ClaimSources.MappedTenant => Slots.Tenant + 1,
            ClaimSources.AccountStatus => Slots.AccountStatus,
            ClaimSources.IdentityType => Slots.IdentityType,
            ClaimSources.SecurityIdentifier => Slots.SecurityIdentifier,
            ClaimSources.DnsDomain => Slots.DnsDomain,
            ClaimSources.OnPremisesDomain => Slots.OnPremisesDomain,
            ClaimSources.NetBiosDomain => Slots.NetBiosDomain,
            ClaimSources.OnPremisesSecurityIdentifier => Slots.SecurityIdentifier + 1,
            ClaimSources.OnPremiseSecurityIdentifier => Slots.SecurityIdentifier + 2,
            ClaimSources.IdentityProvider => Slots.IdentityProvider,
            ClaimSources.MappedIdentityProvider => Slots.IdentityProvider + 1,
            ClaimSources.Issuer => Slots.Issuer,
            ClaimSources.ObjectIdentifier => Slots.ObjectIdentifier,
            ClaimSources.MappedObjectIdentifier => Slots.ObjectIdentifier + 1,
            ClaimSources.Subject => Slots.Subject,
            ClaimSources.MappedSubject => Slots.Subject + 1,
            var type when ClaimSources.IsScope(type) => IsText(claim) && !string.IsNullOrWhiteSpace(claim.Value) ? Slots.Scope : -1,
            var type when ClaimSources.IsRole(type) => IsAddedByHost(claim) ? -1 : Slots.Role,
            var type when ClaimSources.IsClient(type) => Slots.Client,
            _ => -1,
        };
        if (policySlot >= 0)
            slots[policySlot].Add(claim);
        // A configured claim can be one of the above as well.
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] == claim.Type)
                slots[Slots.FirstName + i].Add(claim);
        }
    }

    /// <summary>Determines whether a role was added by code of the host and was not in the token. Claims of a token have its
    /// issuer.</summary>
    private static bool IsAddedByHost(Claim role) => role is { Type: ClaimTypes.Role, Issuer: ClaimsIdentity.DefaultIssuer };

    /// <summary>Determines whether the subject is an application's own object or the client itself.</summary>
    private static bool IsOwnSubject(in Slots slots) =>
        IsSubject(slots, slots[Slots.ObjectIdentifier]) || IsSubject(slots, slots[Slots.ObjectIdentifier + 1])
            || IsSubject(slots, slots[Slots.Client]);

    private static bool IsSubject(in Slots slots, in Slot slot) =>
        slot.Claim?.Value is { } value && (value == slots[Slots.Subject].Claim?.Value || value == slots[Slots.Subject + 1].Claim?.Value);

    /// <summary>Returns the value of a claim that has several names and must be text. A number or a truth value of JSON is no name,
    /// although it can be printed as one.</summary>
    private string? FindText(int first, int count, int eventId)
    {
        if (Find(first, count) is not { } claim)
            return null;
        return IsText(claim) ? claim.Value : throw DelegationFailure.Identity(
            KcdErrorKind.UserNotPermitted, eventId,
            $"The caller's claim {PrintableText.Quoted(claim.Type)} is not text: its value {PrintableText.Quoted(claim.Value)} has the "
                + $"type {PrintableText.Quoted(claim.ValueType)}.",
            "Have the issuer send a JSON string.").ToException();
    }

    /// <summary>Determines whether a claim is text by its type, which .NET's handlers take from JSON and SAML.</summary>
    private static bool IsText(Claim claim) => claim.ValueType is ClaimValueTypes.String or ClaimValueTypes.UpnName
        or ClaimValueTypes.Email or ClaimValueTypes.Rfc822Name or ClaimValueTypes.X500Name or ClaimValueTypes.DnsName
        or ClaimValueTypes.Sid;

    /// <summary>Returns a claim that has several names.</summary>
    private Claim? Find(int first, int count)
    {
        Claim? found = null;
        for (var i = first; i < first + count; i++)
        {
            var slot = _slots[i];
            if (slot.Claim is not { } claim)
                continue;
            if (slot.Count > 1)
                throw Ambiguous($"The caller has the claim {PrintableText.Quoted(claim.Type)} {slot.Count} times.");
            if (found is not null && found.Value != claim.Value)
                throw Ambiguous($"The caller's claims {PrintableText.Quoted(found.Type)} and {PrintableText.Quoted(claim.Type)} have "
                    + "different values.");
            found = claim;
        }
        return found;
    }

    private static KcdException Ambiguous(string cause) => DelegationFailure.Identity(
        KcdErrorKind.UserNotPermitted, KcdEventId.ClaimAmbiguous, cause,
        "Have the issuer send one value, and pass the principal of one sign-in only.").ToException();

    /// <summary>The claims with one name, of which only one may exist.</summary>
    private struct Slot
    {
        public Claim? Claim { get; private set; }

        public int Count { get; private set; }

        public void Add(Claim claim) => (Claim, Count) = (claim, Count + 1);
    }

    /// <summary>One slot for each name. An inline array, so that reading the claims allocates nothing.</summary>
    [InlineArray(Slots.FirstName + ClaimSources.MaxNames)]
    private struct Slots
    {
        public const int Tenant = 0;
        public const int AccountStatus = 2;
        public const int IdentityType = 3;
        public const int SecurityIdentifier = 15;
        public const int IdentityProvider = 5;
        public const int Issuer = 7;
        public const int ObjectIdentifier = 8;
        public const int Subject = 10;
        public const int Client = 12;
        public const int Scope = 13;
        public const int Role = 14;
        public const int DnsDomain = 18;
        public const int OnPremisesDomain = 19;
        public const int NetBiosDomain = 20;
        public const int FirstName = 21;

        private Slot _first;
    }
}
