namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of the sign-in of browsers with OpenID Connect.</summary>
internal sealed class SignInOptions
{
    /// <summary>Gets or sets the path of the file with the client's secret; null for a public client.</summary>
    public string? ClientSecretFile { get; set; }

    /// <summary>Gets the scopes that are requested in addition to <c>openid</c>.</summary>
    public IList<string> Scopes { get; } = [];

    /// <summary>Gets or sets the token of the sign-in whose user is delegated.</summary>
    public TokenKind Caller { get; set; } = TokenKind.IdToken;
}
