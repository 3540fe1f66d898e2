using System.Security.Claims;

namespace KcdDelegation;

/// <summary>Provides the caller for requests that do not name one. Implementations must be thread-safe.</summary>
/// <remarks>Register it as a singleton: handlers outlive the scopes of dependency injection.</remarks>
public interface ICallerAccessor
{
    /// <summary>The caller, or null if there is none. Without a caller nothing is sent.</summary>
    ClaimsPrincipal? Caller { get; }
}
