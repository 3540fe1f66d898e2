using System.Security.Claims;
using KcdDelegation.Lifetime;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Token;

/// <summary>Validates tokens with the settings in force. A change of the settings replaces the validator and its keys.
/// Thread-safe.</summary>
internal sealed class CurrentTokenValidator(SettingsStore settings, DeferredDisposal retirement, ILogger logger, TimeProvider timeProvider)
    : IDisposable
{
    private readonly Lock _change = new();
    private volatile Entry? _current;
    private volatile bool _disposed;

    /// <summary>Validates a token.</summary>
    /// <param name="token">The token in compact form.</param>
    /// <param name="kind">The kind that the host expects; null: that of the settings.</param>
    /// <param name="nonce">The value of <c>nonce</c> that an ID token must have; null if the host checks it.</param>
    /// <param name="cancellationToken">Cancels the wait for keys.</param>
    /// <exception cref="KcdException">The token is not accepted, or no issuer is configured.</exception>
    /// <exception cref="ObjectDisposedException">The client was disposed.</exception>
    public ValueTask<ClaimsPrincipal> ValidateAsync(
        ReadOnlyMemory<char> token, TokenKind? kind, string? nonce, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var inForce = settings.Current.Token ?? throw TokenRefusal.NotConfigured();
        var entry = _current;
        if (entry is null || !ReferenceEquals(entry.Settings, inForce))
            entry = Replace(inForce);
        return entry.Validator.ValidateAsync(token, kind ?? inForce.Callers.Kind, nonce, cancellationToken);
    }

    public void Dispose()
    {
        lock (_change)
        {
            _disposed = true;
            _current?.Keys.Dispose();
        }
    }

    private Entry Replace(TokenSettings inForce)
    {
        lock (_change)
        {
            // Checked again under the lock, so that no validator is created after disposal.
            ObjectDisposedException.ThrowIf(_disposed, this);
            var replaced = _current;
            if (ReferenceEquals(replaced?.Settings, inForce))
                return replaced!;
            // The keys stay while their issuer stays, so that no other change of the settings waits for the issuer.
            var keepsKeys = replaced is not null && replaced.Settings.HasSameIssuer(inForce);
            var keys = keepsKeys ? replaced!.Keys : new SigningKeys(new IssuerDocuments(inForce, timeProvider), timeProvider, logger);
            var entry = new Entry(inForce, keys, new TokenValidator(inForce, keys, timeProvider));
            _current = entry;
            if (replaced is not null && !keepsKeys)
                retirement.Add(replaced);
            return entry;
        }
    }

    private sealed record Entry(TokenSettings Settings, SigningKeys Keys, TokenValidator Validator) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Keys.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
