using System.Security.Claims;
using KcdDelegation.Kerberos;

namespace KcdDelegation;

/// <summary>A mapping from callers to the names by which the directory knows them. <see cref="ClaimsIdentityMapper"/> is the default;
/// register another one in the service collection to replace or decorate it.</summary>
/// <remarks>A mapper decides the name only. Callers who may not be delegated (not signed in, of another tenant, guests, applications
/// without a user) are rejected before it, and the realm's own accounts after it. It is a singleton: it must be thread-safe, and depend on
/// its arguments only, not on the current request.</remarks>
public interface IIdentityMapper
{
    /// <summary>Returns the identity to delegate.</summary>
    /// <param name="caller">An authenticated principal that may be delegated.</param>
    /// <param name="context">The settings of the application to be called.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="KcdException">There is no identity, or more than one. A mapper never guesses.</exception>
    ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, MappingContext context, CancellationToken cancellationToken);
}
