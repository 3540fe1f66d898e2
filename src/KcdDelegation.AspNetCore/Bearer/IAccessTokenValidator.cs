using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Bearer;

/// <summary>Validates the bearer token of a request. The gateway has one issuer for each application.</summary>
internal interface IAccessTokenValidator
{
    /// <summary>Validates an access token and returns its principal.</summary>
    /// <param name="context">The request. Its end cancels the wait.</param>
    /// <param name="token">The token in compact form.</param>
    /// <exception cref="KcdException">The token is not accepted. The reason has been logged.</exception>
    ValueTask<ClaimsPrincipal> ValidateAsync(HttpContext context, ReadOnlyMemory<char> token);
}
