using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;
using KcdDelegation.Settings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace KcdDelegation.Gateway.Settings;

/// <summary>The parsed and validated settings of the gateway. Immutable.</summary>
internal sealed record GatewaySettings
{
    public required ListenerSettings Listener { get; init; }

    /// <summary>Gets the folder for data that outlives the process; null if none is set.</summary>
    public required string? State { get; init; }

    public required FrozenDictionary<string, ProviderSettings> Providers { get; init; }

    public required FrozenDictionary<string, GatewayApplication> Applications { get; init; }

    /// <summary>Gets the applications by the value of <c>Host</c> that selects them.</summary>
    public required FrozenDictionary<string, GatewayApplication> ApplicationsByHost { get; init; }

    public required SessionOptions Sessions { get; init; }

    /// <summary>Gets the addresses at which other proxies ask about requests.</summary>
    public required ImmutableArray<BindingAddress> ForwardAuthenticationUrls { get; init; }

    public required PageOptions Pages { get; init; }

    public required OperationOptions Operation { get; init; }

    /// <summary>Gets the section of the library. It never changes.</summary>
    public required IConfiguration Kcd { get; init; }

    /// <summary>Returns the application of a request's host; null for an unknown host. The port is optional if it is that of the
    /// scheme.</summary>
    /// <remarks>The server decodes an internationalized name, which the settings have in its encoded form (RFC 5890 §2.3.2.1).</remarks>
    public GatewayApplication? FindApplication(HostString host)
    {
        if (!host.HasValue)
            return null;
        var name = host.ToUriComponent();
        return ApplicationsByHost.TryGetValue(name, out var application) ? application
            : host.Port is 80 or 443 ? ApplicationsByHost.GetValueOrDefault(name[..name.LastIndexOf(':')]) : null;
    }
}

/// <summary>The settings of the listener.</summary>
internal sealed record ListenerSettings
{
    public required ImmutableArray<BindingAddress> Urls { get; init; }

    public required ImmutableArray<CertificatePaths> Certificates { get; init; }

    public required ImmutableArray<IPNetwork> TrustedProxies { get; init; }

    public required ImmutableArray<string> DroppedHeaders { get; init; }

    public required ImmutableArray<string> AllowedHeaders { get; init; }

    public required LimitOptions Limits { get; init; }
}

/// <summary>The files of a certificate.</summary>
internal sealed record CertificatePaths(string Certificate, string Key);

/// <summary>The settings of an identity provider.</summary>
/// <param name="Name">The provider's name in the settings.</param>
/// <param name="Token">The tokens that are accepted.</param>
/// <param name="SignIn">The sign-in of browsers; null if there is none.</param>
internal sealed record ProviderSettings(string Name, TokenSettings Token, SignInOptions? SignIn)
{
    /// <summary>Returns a refusal of a token, or a failure of the issuer, with the keys of this provider's settings.</summary>
    public KcdException NameSettings(KcdException refusal) =>
        refusal.WithTokenSection($"{nameof(GatewayOptions.IdentityProviders)}:{Name}:{nameof(IdentityProviderOptions.Token)}");
}

/// <summary>The settings of an application.</summary>
internal sealed record GatewayApplication
{
    public required string Name { get; init; }

    /// <summary>Gets the address that clients use. It ends with a slash.</summary>
    public required Uri ExternalUrl { get; init; }

    /// <summary>Gets the name of the identity provider.</summary>
    public required string Provider { get; init; }

    public required SignInMode SignIn { get; init; }

    /// <summary>Gets the name of the application in <c>Kcd:Applications</c>; null for an application without delegation.</summary>
    public required string? Delegation { get; init; }

    public required ImmutableArray<Uri> InternalUrls { get; init; }

    public required ImmutableArray<string> RequiredScopes { get; init; }

    public required ImmutableArray<string> RequiredGroups { get; init; }

    public required ImmutableArray<RequiredClaim> RequiredClaims { get; init; }

    public required string? RequiredAcr { get; init; }

    public required bool PreserveHost { get; init; }

    public required TimeSpan? ActivityTimeout { get; init; }

    /// <summary>Gets the value of <c>Host</c> that selects the application.</summary>
    public string Host => ExternalUrl.IsDefaultPort ? ExternalUrl.IdnHost : $"{ExternalUrl.IdnHost}:{ExternalUrl.Port}";
}

/// <summary>A claim that the user must have.</summary>
/// <param name="Type">The name of the claim in the token.</param>
/// <param name="Values">The allowed values, of which one is enough; empty for any value.</param>
internal sealed record RequiredClaim(string Type, ImmutableArray<string> Values);
