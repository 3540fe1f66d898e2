using System.Security.Claims;

namespace KcdDelegation;

/// <summary>The caller of the work at hand, where the request does not name one. Register it as a singleton: handlers outlive the scopes of
/// dependency injection. Must be thread-safe.</summary>
public interface ICallerAccessor
{
    /// <summary>The caller, or null if there is none; then nothing is sent.</summary>
    ClaimsPrincipal? Caller { get; }
}
