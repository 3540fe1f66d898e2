using System.Security.Claims;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>Provides the user of the current request. Outside of a request and after its end there is none.</summary>
internal sealed class RequestCaller : ICallerAccessor
{
    public ClaimsPrincipal? Caller => DelegatedRequest.Current?.GetUser();
}
