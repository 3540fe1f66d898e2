using System.Security.Claims;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Identity;

/// <summary>The default mapper: the claim that the application's login identity names, under the rules for names.</summary>
internal sealed class ClaimsIdentityMapper : IIdentityMapper
{
    public ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, DelegatedApplication application, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(application);
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(new IdentityRule(application, application.GetUsers()).Map(caller));
    }
}
