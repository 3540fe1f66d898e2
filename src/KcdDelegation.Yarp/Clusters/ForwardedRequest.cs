using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.Yarp.Clusters;

/// <summary>The incoming request of a request to a destination.</summary>
/// <param name="Context">The incoming request.</param>
/// <param name="DestinationPrefix">The destination's address when YARP chose it.</param>
/// <param name="Caller">The authenticated user when the request was transformed; null for none.</param>
internal sealed record ForwardedRequest(HttpContext Context, string DestinationPrefix, ClaimsPrincipal? Caller);
