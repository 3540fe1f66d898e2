using System.Collections.Concurrent;

namespace KcdDelegation.Token;

/// <summary>The tokens whose signature one set of keys verified, with their parsed claims. Bounded. Thread-safe.</summary>
/// <remarks>A signature does not change between two requests, so only its verification and the parsing are not repeated. Everything else
/// about a token is checked each time. A new set of keys has an object of its own, so no verdict outlives the keys.</remarks>
internal sealed class VerifiedTokens
{
    /// <summary>The memory that one generation may take. Two exist at a time.</summary>
    public const long MaxSize = 32 * 1024 * 1024;

    private readonly Lock _change = new();
    private volatile Generation _current = new();
    private volatile Generation _previous = new();

    /// <summary>Finds the claims of a token; null if it has to be verified.</summary>
    public TokenClaims? Find(in TokenHash hash)
    {
        if (_current.Tokens.TryGetValue(hash, out var claims))
            return claims;
        if (!_previous.Tokens.TryGetValue(hash, out claims))
            return null;
        // A token in use moves on, so that only unused ones are dropped.
        Add(hash, claims);
        return claims;
    }

    /// <summary>Adds the claims of a token that was verified and accepted. A token that is refused is not added, so that tokens for other
    /// tenants of the same issuer cannot drop the ones in use.</summary>
    public void Add(in TokenHash hash, TokenClaims claims)
    {
        var generation = _current;
        if (!generation.Tokens.TryAdd(hash, claims) || generation.Grow(claims.Size) < MaxSize)
            return;
        lock (_change)
        {
            if (ReferenceEquals(_current, generation))
                (_previous, _current) = (generation, new Generation());
        }
    }

    private sealed class Generation
    {
        private long _size;

        public ConcurrentDictionary<TokenHash, TokenClaims> Tokens { get; } = new();

        public long Grow(int size) => Interlocked.Add(ref _size, size);
    }
}
