using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Bearer;

/// <summary>Validates access tokens of <c>Kcd:Token</c> with the <see cref="DelegationClient"/>.</summary>
internal sealed class ClientTokenValidator(DelegationClient client) : IAccessTokenValidator
{
    public ValueTask<ClaimsPrincipal> ValidateAsync(HttpContext context, ReadOnlyMemory<char> token) =>
        client.ValidateAccessTokenAsync(token, context.RequestAborted);
}
