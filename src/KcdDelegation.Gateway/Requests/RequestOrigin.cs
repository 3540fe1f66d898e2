using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Gateway.Requests;

/// <summary>The origin of the page that caused a request.</summary>
internal static class RequestOrigin
{
    /// <summary>Determines whether the request is one of the application's own pages.</summary>
    /// <remarks>Browsers send <c>Origin</c> with every form and every handshake of a WebSocket, and scripts cannot set it (RFC 6454
    /// §7).</remarks>
    public static bool IsApplication(HttpContext context)
    {
        var origin = context.Request.Headers.Origin;
        return origin.Count == 1 && origin == context.GetGatewayApplication().ExternalUrl.GetLeftPart(UriPartial.Authority);
    }
}
