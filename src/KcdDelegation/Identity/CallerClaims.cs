using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Identity;

/// <summary>The claims that delegation depends on, out of all claims of the caller's authenticated identities. Each has exactly one value,
/// or reading it is an error.</summary>
internal readonly struct CallerClaims
{
    private readonly Slots _slots;
    private readonly int _nameCount;

    private CallerClaims(in Slots slots, int nameCount) => (_slots, _nameCount) = (slots, nameCount);

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
        var isAuthenticated = false;
        foreach (var identity in caller.Identities)
        {
            if (!identity.IsAuthenticated)
                continue;
            isAuthenticated = true;
            foreach (var claim in identity.Claims)
                Add(claim, names, ref slots);
        }
        return isAuthenticated ? new CallerClaims(slots, names.Length) : throw DelegationFailure.Identity(
            KcdErrorKind.NotAuthenticated, KcdEventId.NoIdentity,
            "The caller is not authenticated, so there is no user to delegate.",
            "Require authentication before this call, and pass the principal that it gives.").ToException();
    }

    /// <summary>Returns the login identity's claim; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindName() => Find(Slots.FirstName, _nameCount);

    /// <summary>Returns the tenant, by the raw name of its claim or the one that .NET maps it to; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindTenant() => Find(Slots.Tenant, 2);

    /// <summary>Returns the tenant by the raw name of its claim, as tokens have it; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindRawTenant() => Find(Slots.Tenant, 1);

    /// <summary>Returns whether the caller is a member (0) or a guest of the tenant; null if no claim says so.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindAccountStatus() => Find(Slots.AccountStatus, 1);

    /// <summary>Returns whether the caller is a user or an application; null if no claim says so.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindTokenKind() => Find(Slots.TokenKind, 1);

    /// <summary>Returns the SID of the on-premises account; null if there is none.</summary>
    /// <exception cref="KcdException">It has more than one value.</exception>
    public string? FindSecurityIdentifier() => Find(Slots.SecurityIdentifier, 1);

    /// <summary>Adds a claim to its slot. Names are compared ordinally, because JSON member names that differ in case are different
    /// claims.</summary>
    private static void Add(Claim claim, ImmutableArray<string> names, ref Slots slots)
    {
        var policySlot = claim.Type switch
        {
            ClaimSources.Tenant => Slots.Tenant,
            ClaimSources.MappedTenant => Slots.Tenant + 1,
            ClaimSources.AccountStatus => Slots.AccountStatus,
            ClaimSources.TokenKind => Slots.TokenKind,
            ClaimSources.SecurityIdentifier => Slots.SecurityIdentifier,
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

    /// <summary>Returns the value of a claim that has several names.</summary>
    private string? Find(int first, int count)
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
        return found?.Value;
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
        public const int TokenKind = 3;
        public const int SecurityIdentifier = 4;
        public const int FirstName = 5;

        private Slot _first;
    }
}
