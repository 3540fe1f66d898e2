using System.Net;
using System.Text.Json;
using KcdDelegation.Gateway.IdentityProviders;
using KcdDelegation.Gateway.Sessions;
using KcdDelegation.Token;
using Microsoft.AspNetCore.Authentication;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>Refreshes the tokens of a session at its provider (RFC 6749 §6, OpenID Connect Core 1.0 §12).</summary>
internal sealed class TokenEndpoint(ProviderRegistry providers, ProviderClients clients, TimeProvider timeProvider) : ITokenRefresher
{
    private const int MaxAnswer = 1 << 20;

    // RFC 6749 §5.2, and the errors of OpenID Connect Core 1.0 §3.1.2.6 that require the user.
    private static readonly string[] s_ends = ["invalid_grant", "interaction_required", "login_required", "consent_required"];

    public async Task<TokenRefresh> RefreshAsync(AuthenticationTicket ticket, SessionTicket session, CancellationToken cancellationToken)
    {
        if (providers.Find(session.Provider) is not { Settings.SignIn: not null } provider
            || provider.Settings.Token.Issuer != session.Issuer)
            return Refuse("the settings no longer have the provider");
        try
        {
            var metadata = await clients.FindMetadataAsync(session.Provider, cancellationToken);
            using var request = new HttpRequestMessage(HttpMethod.Post, metadata!.TokenEndpoint)
            {
                Content = new FormUrlEncodedContent(await CreateFormAsync(provider, session, cancellationToken)),
            };
            using var response = await clients.SendAsync(request, cancellationToken);
            var content = await ReadAsync(response, cancellationToken);
            if (response.StatusCode != HttpStatusCode.OK)
                return Explain(response.StatusCode, content);
            return content is { } answer && FindText(answer, "access_token") is not null
                ? await CreateAsync(provider, ticket, session, answer, cancellationToken)
                : Fail("the answer has no access token");
        }
        catch (Exception error) when (error is HttpRequestException or IOException or OperationCanceledException or SignInException)
        {
            return Fail(error.GetType().Name);
        }
    }

    private static async Task<Dictionary<string, string>> CreateFormAsync(
        IdentityProvider provider, SessionTicket session, CancellationToken cancellationToken)
    {
        var form = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["grant_type"] = "refresh_token",
            ["refresh_token"] = session.RefreshToken!,
            ["client_id"] = provider.Settings.Token.ClientId!,
        };
        if (await ClientSecret.ReadAsync(provider.Settings.SignIn, cancellationToken) is { } secret)
            form["client_secret"] = secret;
        return form;
    }

    private static async Task<JsonElement?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(MaxAnswer, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return StrictJson.ParseObject(body, out var answer) == StrictJsonResult.Object ? answer : null;
    }

    private static TokenRefresh Explain(HttpStatusCode status, JsonElement? content)
    {
        var code = content is { } answer ? FindText(answer, "error") : null;
        return status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
            && s_ends.Contains(code, StringComparer.Ordinal) ? Refuse(code!) : Fail($"the provider answered {(int)status}");
    }

    /// <summary>Creates the new content. The user stays the one of the sign-in.</summary>
    private async Task<TokenRefresh> CreateAsync(
        IdentityProvider provider, AuthenticationTicket ticket, SessionTicket session, JsonElement answer,
        CancellationToken cancellationToken)
    {
        var now = timeProvider.GetUtcNow();
        var refreshToken = FindText(answer, "refresh_token") ?? session.RefreshToken;
        var principal = ticket.Principal;
        try
        {
            // OpenID Connect Core 1.0 §12.2: an ID token is optional. It has no nonce of a sign-in.
            if (FindText(answer, "id_token") is { } idToken)
            {
                var tokens = await ProviderTokens.ValidateAsync(
                    provider, idToken, nonce: null, FindText(answer, "access_token"), cancellationToken);
                if (tokens.User.FindFirst("sub")?.Value != session.Subject)
                    return Refuse("the new ID token is of another user");
                (principal, session) = (tokens.Caller, session with { IdToken = idToken });
            }
            else if (session.EndsWithTokens)
            {
                var caller = await provider.ValidateAccessTokenAsync(FindText(answer, "access_token").AsMemory(), cancellationToken);
                if (!ProviderTokens.IsSameUser(principal, caller))
                    return Refuse("the new access token is of another user");
                principal = caller;
            }
        }
        catch (KcdException refusal) when (refusal.Kind == KcdErrorKind.Unavailable)
        {
            // The provider has replaced the refresh token: the new one is kept, and the tokens are requested again soon.
            (session with { RefreshToken = refreshToken, RefreshAt = now + TimeSpan.FromSeconds(30) }).Write(ticket.Properties);
            return new TokenRefresh(ticket, IsRefused: false, "");
        }
        catch (KcdException refusal)
        {
            return Refuse($"the new token is not accepted (event {refusal.EventId})");
        }
        catch (SignInException refusal)
        {
            return Refuse(refusal.Message);
        }
        session = ProviderTokens.SetLife(session with { RefreshToken = refreshToken }, FindNumber(answer, "expires_in"), principal, now);
        session.Write(ticket.Properties);
        return new TokenRefresh(new AuthenticationTicket(principal, ticket.Properties, ticket.AuthenticationScheme), IsRefused: false, "");
    }

    private static TokenRefresh Refuse(string cause) => new(Ticket: null, IsRefused: true, cause);

    private static TokenRefresh Fail(string cause) => new(Ticket: null, IsRefused: false, cause);

    private static string? FindText(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string? FindNumber(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number or JsonValueKind.String
            ? value.ToString() : null;
}
