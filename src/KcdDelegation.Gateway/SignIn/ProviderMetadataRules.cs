using KcdDelegation.Diagnosis;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Settings;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace KcdDelegation.Gateway.SignIn;

/// <summary>The rules for the metadata of a provider (OpenID Connect Discovery 1.0 §4.3).</summary>
internal sealed class ProviderMetadataRules(TokenSettings token) : IConfigurationValidator<OpenIdConnectConfiguration>
{
    public ConfigurationValidationResult Validate(OpenIdConnectConfiguration configuration)
    {
        if (configuration.Issuer != token.Issuer)
            return Refuse($"it is of the issuer {PrintableText.Quoted(configuration.Issuer)}");
        if (!IsAllowed(configuration.AuthorizationEndpoint))
            return Refuse("it names no https address for authorization_endpoint");
        if (!IsAllowed(configuration.TokenEndpoint))
            return Refuse("it names no https address for token_endpoint");
        return configuration.EndSessionEndpoint is { Length: > 0 } end && !IsAllowed(end)
            ? Refuse("its end_session_endpoint is no https address")
            : new ConfigurationValidationResult { Succeeded = true };
    }

    /// <summary>Determines whether an address is https. Plain http is allowed for a provider on this machine only.</summary>
    private bool IsAllowed(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && KeyAddress.IsAllowed(address)
            && (address.Scheme == Uri.UriSchemeHttps || token.DiscoveryDocument.Scheme == Uri.UriSchemeHttp);

    private ConfigurationValidationResult Refuse(string why) => new()
    {
        Succeeded = false,
        ErrorMessage = $"The discovery document {AddressText.From(token.DiscoveryDocument.AbsoluteUri)} is not used: {why}.",
    };
}
