using System.Security.Claims;
using KcdDelegation.AspNetCore;
using KcdDelegation.AspNetCore.Requests;
using KcdDelegation.Gateway.Sessions;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.SignOut;

/// <summary>Ends the sessions of a user at all applications, with their tickets, streams and WebSockets.</summary>
internal sealed class SessionEnd(SessionStore store, KcdSessions delegations, ILoggerFactory loggerFactory)
{
    private readonly ILogger _logger = loggerFactory.CreateLogger(SignOutLog.Category);

    /// <summary>Ends the sessions that belong to one session at the provider, or all sessions of the user.</summary>
    /// <param name="issuer">The issuer of the ID tokens.</param>
    /// <param name="subject">The user; null: the one of the session at the provider.</param>
    /// <param name="sessionId">The session at the provider; null: all of the user.</param>
    /// <param name="user">A further principal of the user, whose tickets are removed without a session too; null for none.</param>
    /// <param name="except">The request that is not aborted; null for none.</param>
    /// <returns>The number of sessions that ended.</returns>
    public async Task<int> EndAsync(string issuer, string? subject, string? sessionId, ClaimsPrincipal? user, HttpContext? except)
    {
        // Not cancelled with the request: a user who leaves has signed out too.
        return await EndAsync(await store.FindAsync(issuer, subject, sessionId, CancellationToken.None), user, except);
    }

    /// <summary>Ends the sessions that a predicate selects.</summary>
    /// <returns>The number of sessions that ended.</returns>
    public async Task<int> EndAsync(Func<SessionTicket, ClaimsPrincipal, Task<bool>> isEnded, CancellationToken cancellationToken)
    {
        var selected = new List<FoundSession>();
        foreach (var session in await store.FindAllAsync(cancellationToken))
        {
            if (SessionTicket.Read(session.Ticket.Properties) is { } ticket && await isEnded(ticket, session.Ticket.Principal))
                selected.Add(session);
        }
        return await EndAsync(selected, user: null, except: null);
    }

    private async Task<int> EndAsync(IReadOnlyList<FoundSession> found, ClaimsPrincipal? user, HttpContext? except)
    {
        // First the sessions, so that no further request is accepted. Then what was delegated before.
        foreach (var session in found)
            await store.RemoveByHashAsync(session.Hash);
        var users = new List<ClaimsPrincipal>();
        foreach (var principal in found.Select(static session => session.Ticket.Principal).Append(user).OfType<ClaimsPrincipal>())
        {
            if (!users.Exists(known => SameUser.Is(known, principal)))
                users.Add(principal);
        }
        foreach (var principal in users)
            await EndDelegationAsync(principal, except);
        return found.Count;
    }

    private async Task EndDelegationAsync(ClaimsPrincipal user, HttpContext? except)
    {
        try
        {
            await delegations.EndAsync(user, except, CancellationToken.None);
        }
        catch (KcdException failure)
        {
            // The responses have been aborted, and without a session no request uses the tickets that remain.
            SignOutLog.TicketsRemain(_logger, failure.EventId);
        }
    }
}
