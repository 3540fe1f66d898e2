namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of an identity provider.</summary>
internal sealed class IdentityProviderOptions
{
    /// <summary>Gets or sets the tokens that are accepted, with the settings of the library's <c>Token</c>.</summary>
    public TokenOptions Token { get; set; } = new();

    /// <summary>Gets or sets the sign-in of browsers; null if the provider is used for bearer tokens only.</summary>
    public SignInOptions? SignIn { get; set; }
}
