using System.Globalization;
using KcdDelegation.Gateway.Requests;
using Microsoft.AspNetCore.Authentication;

namespace KcdDelegation.Gateway.Sessions;

/// <summary>The content of a session that is not the caller: its provider, its host, its identifiers and its tokens.</summary>
/// <remarks>It is kept in the properties of the <see cref="AuthenticationTicket"/>, which the platform can serialize.</remarks>
internal sealed record SessionTicket
{
    private const string HostItem = "kcd.host";
    private const string IssuerItem = "kcd.issuer";
    private const string SubjectItem = "kcd.subject";
    private const string SessionIdItem = "kcd.sid";
    private const string RefreshAtItem = "kcd.refresh_at";
    private const string TokensEndItem = "kcd.tokens_end";
    private const string EndsWithTokensItem = "kcd.ends_with_tokens";
    private const string IdTokenItem = "kcd.id_token";
    private const string RefreshTokenItem = "kcd.refresh_token";

    /// <summary>Gets the name of the identity provider in the settings.</summary>
    public required string Provider { get; init; }

    /// <summary>Gets the external host (with its port) that the session belongs to. It is not accepted at another one.</summary>
    public required string Host { get; init; }

    /// <summary>Gets the issuer of the ID token.</summary>
    public required string Issuer { get; init; }

    /// <summary>Gets the <c>sub</c> of the ID token.</summary>
    public required string Subject { get; init; }

    /// <summary>Gets the <c>sid</c> of the ID token, the provider's session; null if it has none.</summary>
    public string? SessionId { get; init; }

    /// <summary>Gets the ID token, which is the hint of the sign-out.</summary>
    public required string IdToken { get; init; }

    /// <summary>Gets the refresh token; null if the provider sent none.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>Gets the time from which on the tokens are refreshed; null if the provider did not state their life.</summary>
    public DateTimeOffset? RefreshAt { get; init; }

    /// <summary>Gets the end of the tokens; null if the provider did not state it.</summary>
    public DateTimeOffset? TokensEnd { get; init; }

    /// <summary>Gets whether the session ends with its tokens although it has no refresh token, because the caller is of an access
    /// token.</summary>
    public bool EndsWithTokens { get; init; }

    /// <summary>Reads the content; null if it is not that of a session.</summary>
    public static SessionTicket? Read(AuthenticationProperties properties)
    {
        if (Find(properties, GatewaySchemes.ProviderItem) is not { } provider || Find(properties, HostItem) is not { } host
            || Find(properties, IssuerItem) is not { } issuer || Find(properties, SubjectItem) is not { } subject
            || Find(properties, IdTokenItem) is not { } idToken)
            return null;
        return new SessionTicket
        {
            Provider = provider,
            Host = host,
            Issuer = issuer,
            Subject = subject,
            SessionId = Find(properties, SessionIdItem),
            IdToken = idToken,
            RefreshToken = Find(properties, RefreshTokenItem),
            RefreshAt = FindTime(properties, RefreshAtItem),
            TokensEnd = FindTime(properties, TokensEndItem),
            EndsWithTokens = Find(properties, EndsWithTokensItem) is not null,
        };
    }

    /// <summary>Writes the content into properties, and removes what it does not have.</summary>
    public void Write(AuthenticationProperties properties)
    {
        Set(properties, GatewaySchemes.ProviderItem, Provider);
        Set(properties, HostItem, Host);
        Set(properties, IssuerItem, Issuer);
        Set(properties, SubjectItem, Subject);
        Set(properties, SessionIdItem, SessionId);
        Set(properties, IdTokenItem, IdToken);
        Set(properties, RefreshTokenItem, RefreshToken);
        Set(properties, RefreshAtItem, RefreshAt?.ToString("O", CultureInfo.InvariantCulture));
        Set(properties, TokensEndItem, TokensEnd?.ToString("O", CultureInfo.InvariantCulture));
        Set(properties, EndsWithTokensItem, EndsWithTokens ? "1" : null);
    }

    private static string? Find(AuthenticationProperties properties, string item) =>
        properties.Items.TryGetValue(item, out var value) ? value : null;

    private static DateTimeOffset? FindTime(AuthenticationProperties properties, string item) =>
        DateTimeOffset.TryParseExact(
            Find(properties, item), "O", CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) ? time : null;

    private static void Set(AuthenticationProperties properties, string item, string? value)
    {
        if (value is null)
            properties.Items.Remove(item);
        else
            properties.Items[item] = value;
    }
}
