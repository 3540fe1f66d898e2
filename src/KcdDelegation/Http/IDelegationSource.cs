using System.Security.Claims;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Http;

/// <summary>The part of the delegation client that HTTP depends on.</summary>
internal interface IDelegationSource
{
    /// <summary>Gets the logger of the events 4xxx and 13022.</summary>
    ILogger Logger { get; }

    /// <summary>Gets the logger of the audit.</summary>
    ILogger Audit { get; }

    /// <summary>Gets the time source for the life of idle connections and for the intervals between hints.</summary>
    TimeProvider TimeProvider { get; }

    /// <summary>Gets the settings in force of an application.</summary>
    /// <exception cref="KcdException">There is no such application. The error has been logged.</exception>
    ApplicationSettings GetApplication(string name);

    /// <summary>Gets a ticket for the caller.</summary>
    /// <exception cref="KcdException">There is no ticket. The error has not been logged.</exception>
    ValueTask<DelegatedCredential> DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken);

    /// <summary>Replaces a ticket that the backend refused. Returns null if the user's ticket for this service was replaced less than a
    /// minute ago, or cannot be replaced.</summary>
    /// <exception cref="KcdException">There is no new ticket. The error has not been logged.</exception>
    ValueTask<DelegatedCredential?> ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken);
}
