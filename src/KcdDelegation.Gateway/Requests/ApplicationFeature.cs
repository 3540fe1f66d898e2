using KcdDelegation.Gateway.Settings;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Requests;

/// <summary>The application of a request, which its host selects.</summary>
/// <param name="Application">The application.</param>
/// <param name="Settings">The settings that were in force when the request began.</param>
internal sealed record ApplicationFeature(GatewayApplication Application, GatewaySettings Settings);

/// <summary>The application of a request.</summary>
internal static class ApplicationFeatureExtensions
{
    /// <summary>Gets the application of the request.</summary>
    /// <exception cref="InvalidOperationException">No application has been selected.</exception>
    public static GatewayApplication GetGatewayApplication(this HttpContext context) => context.GetApplicationFeature().Application;

    /// <summary>Gets the application of the request with the settings that were in force when it began.</summary>
    /// <exception cref="InvalidOperationException">No application has been selected.</exception>
    public static ApplicationFeature GetApplicationFeature(this HttpContext context) =>
        context.Features.Get<ApplicationFeature>() ?? throw new InvalidOperationException("The request has no application.");
}
