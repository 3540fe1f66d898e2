using System.Security.Claims;
using KcdDelegation.AspNetCore.Diagnosis;
using KcdDelegation.AspNetCore.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.AspNetCore;

/// <summary>Ends the delegation of users who sign out, on this host. A singleton of the service collection. Thread-safe.</summary>
public sealed class KcdSessions
{
    private readonly DelegationClient _client;
    private readonly ActiveRequests _active;
    private readonly ILogger _logger;

    internal KcdSessions(DelegationClient client, ActiveRequests active, ILoggerFactory loggerFactory) =>
        (_client, _active, _logger) = (client, active, loggerFactory.CreateLogger(WebLog.Category));

    /// <summary>Aborts the user's open delegated responses, such as streams and WebSockets, and removes the user's tickets.</summary>
    /// <remarks>Other principals of the same user count too: the object identifier, the subject or the user principal name decides. A
    /// request that starts afterwards with a session that the host still accepts is delegated again, so end that session as
    /// well.</remarks>
    /// <param name="user">The user, with the claims that were used for delegation.</param>
    /// <param name="except">The request that signs the user out. It is not aborted.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The number of removed tickets.</returns>
    /// <exception cref="KcdException">The user could not be mapped because of a transient failure, so tickets may remain. The responses
    /// have been aborted.</exception>
    public async ValueTask<int> EndAsync(
        ClaimsPrincipal user, HttpContext? except = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(user);
        // First, so that no open request gets new tickets after the purge.
        var aborted = _active.Abort(user, except);
        var tickets = await _client.PurgeAsync(user, cancellationToken).ConfigureAwait(false);
        WebLog.SessionEnded(_logger, aborted, tickets);
        return tickets;
    }
}
