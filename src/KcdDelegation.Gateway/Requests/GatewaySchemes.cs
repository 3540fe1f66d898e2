namespace KcdDelegation.Gateway.Requests;

/// <summary>The authentication schemes of the gateway, and what they exchange in their properties.</summary>
internal static class GatewaySchemes
{
    /// <summary>The bearer tokens of the provider of the request's application.</summary>
    public const string Bearer = "KcdGatewayBearer";

    /// <summary>The session of a browser.</summary>
    public const string Session = "KcdGatewaySession";

    /// <summary>The sign-in of a browser at the provider of the request's application.</summary>
    public const string SignIn = "KcdGatewaySignIn";

    /// <summary>The item of a session's properties that names the identity provider.</summary>
    public const string ProviderItem = "kcd.provider";

    /// <summary>The item of a session's properties with the <see cref="AcrValues"/> that its sign-in requested.</summary>
    public const string AcrItem = "kcd.acr_values";

    /// <summary>The parameter of a challenge with the values of <c>acr_values</c>, separated by spaces.</summary>
    public const string AcrValues = "acr_values";
}
