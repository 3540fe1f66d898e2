namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of an application.</summary>
internal sealed class GatewayApplicationOptions
{
    /// <summary>Gets or sets the address that clients use. It has a host of its own and no path.</summary>
    public Uri? ExternalUrl { get; set; }

    /// <summary>Gets the origins of the application; empty for those of the delegation.</summary>
    public IList<string> InternalUrls { get; } = [];

    /// <summary>Gets or sets the name of the identity provider; null for the only one.</summary>
    public string? IdentityProvider { get; set; }

    /// <summary>Gets or sets the name of the application in <c>Kcd:Applications</c>, or <c>None</c>; null for the application's own
    /// name.</summary>
    public string? Delegation { get; set; }

    /// <summary>Gets or sets how users authenticate; null: in the browser too if the provider has a sign-in.</summary>
    public SignInMode? SignIn { get; set; }

    /// <summary>Gets the scopes that an access token must have, all of them.</summary>
    public IList<string> RequiredScopes { get; } = [];

    /// <summary>Gets the groups of which the user must be in at least one.</summary>
    public IList<string> RequiredGroups { get; } = [];

    /// <summary>Gets the claims that the user must have, each with its allowed values. Without values, any value is allowed.</summary>
    public IDictionary<string, IList<string>> RequiredClaims { get; } = new Dictionary<string, IList<string>>(StringComparer.Ordinal);

    /// <summary>Gets or sets the value of <c>acr</c> or <c>acrs</c> that the user's sign-in must have.</summary>
    public string? RequiredAcr { get; set; }

    /// <summary>Gets or sets whether the application gets the <c>Host</c> of the client instead of its own.</summary>
    public bool PreserveHost { get; set; }

    /// <summary>Gets or sets the time without any data after which a request to the application ends; null for 100 seconds.</summary>
    public TimeSpan? ActivityTimeout { get; set; }
}

/// <summary>The ways to authenticate at an application.</summary>
internal enum SignInMode
{
    /// <summary>Browsers sign in with pages, and programs send a bearer token.</summary>
    Browser,

    /// <summary>All clients send a bearer token.</summary>
    Bearer,
}
