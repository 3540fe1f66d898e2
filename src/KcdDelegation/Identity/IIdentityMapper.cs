using System.Security.Claims;
using KcdDelegation.Kerberos;

namespace KcdDelegation;

/// <summary>Finds the name by which the directory knows a caller. Replaceable by one of your own in the service collection (a table, a look-up
/// in the directory). It decides the name only: callers who may not be delegated (nobody signed in, another tenant, guests, applications
/// without a user) never reach it, and the realm's own accounts are refused afterwards. A singleton; must be thread-safe, and depend on its arguments only, never on the request at hand.</summary>
public interface IIdentityMapper
{
    /// <summary>The identity to delegate.</summary>
    /// <param name="caller">An authenticated principal that may be delegated.</param>
    /// <param name="application">The application to be called; a copy of what is configured, not to be changed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="KcdException">There is no identity, or more than one. A mapper never guesses.</exception>
    ValueTask<KerberosPrincipal> MapAsync(ClaimsPrincipal caller, DelegatedApplication application, CancellationToken cancellationToken);
}
