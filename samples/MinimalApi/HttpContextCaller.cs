using System.Security.Claims;

namespace KcdDelegation.Samples.MinimalApi;

/// <summary>Makes the user of the current request the caller of the requests sent on its behalf.</summary>
internal sealed class HttpContextCaller(IHttpContextAccessor accessor) : ICallerAccessor
{
    public ClaimsPrincipal? Caller => accessor.HttpContext?.User;
}
