using System.Collections.Frozen;
using System.Collections.Immutable;

namespace KcdDelegation.Token;

/// <summary>The content of one version of the issuer's documents: the issuers and the keys. Immutable.</summary>
/// <param name="Issuer">The issuer of the discovery document.</param>
/// <param name="AccessTokenIssuer">The issuer of access tokens that the document names in addition (AD FS); null if it names none.</param>
/// <param name="ById">The keys by <c>kid</c>.</param>
/// <param name="Documents">The text of the documents.</param>
internal sealed record IssuerKeys(
    string Issuer, string? AccessTokenIssuer, FrozenDictionary<string, ImmutableArray<SigningKey>> ById, string Documents)
{
    /// <summary>The state before the first load.</summary>
    public static readonly IssuerKeys None =
        new("", AccessTokenIssuer: null, FrozenDictionary<string, ImmutableArray<SigningKey>>.Empty, "");

    /// <summary>Gets the tokens that these keys verified.</summary>
    public VerifiedTokens Verified { get; } = new();

    /// <summary>Finds the key that verifies a token.</summary>
    /// <exception cref="KcdException">No key with this <c>kid</c> may verify the algorithm.</exception>
    public SigningKey Find(string keyId, string algorithm)
    {
        var candidates = ById[keyId];
        foreach (var key in candidates)
        {
            if (key.Algorithms.Contains(algorithm, StringComparer.Ordinal))
                return key;
        }
        var explained = candidates.FirstOrDefault(static key => key.IsForSignatures) ?? candidates[0];
        throw TokenRefusal.KeyRefused(
            keyId, explained.Violation ?? $"it is for {string.Join(", ", explained.Algorithms)}, and the token is signed with {algorithm}");
    }
}
