using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Gateway.Settings;
using KcdDelegation.Telemetry;
using KcdDelegation.Token;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.IdentityProviders;

/// <summary>An identity provider, with the library's validation of its tokens. Thread-safe.</summary>
internal sealed class IdentityProvider(ProviderSettings settings, SigningKeys keys, ILogger audit, TimeProvider timeProvider)
    : IAsyncDisposable
{
    private readonly TokenValidator _validator = new(settings.Token, keys, timeProvider);

    public ProviderSettings Settings { get; } = settings;

    /// <summary>Gets the keys of the provider, which a changed provider keeps if its issuer is the same.</summary>
    public SigningKeys Keys { get; } = keys;

    /// <summary>Validates an access token.</summary>
    /// <exception cref="KcdException">The token is not accepted. The reason has been logged.</exception>
    public ValueTask<ClaimsPrincipal> ValidateAccessTokenAsync(ReadOnlyMemory<char> token, CancellationToken cancellationToken) =>
        ValidateAsync(token, TokenKind.AccessToken, nonce: null, cancellationToken);

    /// <summary>Validates the ID token of a sign-in.</summary>
    /// <param name="token">The token in compact form.</param>
    /// <param name="nonce">The value that the sign-in sent; null if the caller compares it.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="KcdException">The token is not accepted. The reason has been logged.</exception>
    public ValueTask<ClaimsPrincipal> ValidateIdTokenAsync(string token, string? nonce, CancellationToken cancellationToken) =>
        ValidateAsync(token.AsMemory(), TokenKind.IdToken, nonce, cancellationToken);

    /// <summary>Validates the signature, the times, the issuer and the audience of a logout token, and returns its claims.</summary>
    /// <exception cref="KcdException">The token is not accepted.</exception>
    public async ValueTask<ClaimsPrincipal> ValidateLogoutTokenAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return await _validator.ValidateLogoutTokenAsync(token, cancellationToken);
        }
        catch (KcdException refusal)
        {
            throw Settings.NameSettings(refusal);
        }
    }

    public ValueTask DisposeAsync()
    {
        Keys.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<ClaimsPrincipal> ValidateAsync(
        ReadOnlyMemory<char> token, TokenKind kind, string? nonce, CancellationToken cancellationToken)
    {
        using var span = DelegationSpan.Start(
            DelegationSpan.Token, DelegationSpan.IdentityStage, application: null, realm: null, service: null);
        try
        {
            return await _validator.ValidateAsync(token, kind, nonce, cancellationToken);
        }
        catch (KcdException refusal)
        {
            var named = Settings.NameSettings(refusal);
            span.Fail(named);
            Log.Refused(audit, named);
            throw named;
        }
        catch (Exception error)
        {
            span.Fail(error);
            throw;
        }
    }
}
