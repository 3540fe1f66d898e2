using System.Runtime.CompilerServices;

namespace KcdDelegation.Http;

/// <summary>Creates the handler of each user with the application's factory, and rejects handlers that would let users share
/// state.</summary>
internal sealed class SocketsHttpHandlers(Func<SocketsHttpHandler>? create)
{
    private static readonly ConditionalWeakTable<SocketsHttpHandler, object> s_returned = [];
    private static readonly TimeSpan s_leastIdleLife = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(15);

    /// <summary>Gets the number of connections that the last handler opens at most.</summary>
    /// <remarks>The factory always returns the same configuration.</remarks>
    public int MaxConnectionsPerServer { get; private set; } = int.MaxValue;

    /// <summary>Gets the time after which an idle user is dropped, with the user's handler. Until then the handler decides when its idle
    /// connections are closed, by default after a minute.</summary>
    public TimeSpan IdleLife { get; private set; } = s_leastIdleLife;

    /// <summary>Creates a handler without cookies, redirects and proxy. Its connections are renewed periodically, to follow DNS
    /// changes.</summary>
    public static SocketsHttpHandler CreateDefault() => new()
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        ConnectTimeout = s_connectTimeout,
    };

    /// <summary>Creates a handler for one user and disables cookies, redirects and proxy on it.</summary>
    /// <exception cref="InvalidOperationException">The handler has settings that would let users share state, or was returned
    /// before.</exception>
    public SocketsHttpHandler Create()
    {
        var handler = (create ?? CreateDefault)()
            ?? throw new InvalidOperationException("The factory passed to KcdHandler returned no SocketsHttpHandler.");
        if (!s_returned.TryAdd(handler, handler))
            throw new InvalidOperationException(
                "The factory passed to KcdHandler returned the same SocketsHttpHandler twice. Return a new one on each call: each user "
                    + "needs separate connections.");
        if (FindViolation(handler) is { } why)
            throw new InvalidOperationException($"A SocketsHttpHandler under KcdHandler must not have {why}.");

        // These are on by default in .NET, so they are switched off without an error. On shared connections a cookie of one user would be
        // sent for the next. A redirect could take a ticket to another host. The system's proxy would see the tickets.
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.UseProxy = false;
        // The default of .NET has no limit: the user's other requests would wait for a first connection that is never opened.
        if (handler.ConnectTimeout == Timeout.InfiniteTimeSpan)
            handler.ConnectTimeout = s_connectTimeout;
        MaxConnectionsPerServer = handler.MaxConnectionsPerServer;
        IdleLife = GetIdleLife(handler.PooledConnectionIdleTimeout);
        return handler;
    }

    private static TimeSpan GetIdleLife(TimeSpan connections)
    {
        if (connections == Timeout.InfiniteTimeSpan)
            return TimeSpan.MaxValue;
        return connections > s_leastIdleLife ? connections : s_leastIdleLife;
    }

    private static string? FindViolation(SocketsHttpHandler handler)
    {
        if (handler.Credentials is not null)
            return "Credentials: it would answer the backend's challenge as the process, possibly with NTLM. Leave them null";
        if (handler.PreAuthenticate)
            return "PreAuthenticate: KcdHandler sets the tickets itself. Leave it off";
        if (handler.Proxy is not null || handler.DefaultProxyCredentials is not null)
            return "a proxy: it may carry several users over one connection to the backend. Call the backend directly";
        if (handler.UseCookies && handler.CookieContainer.Count > 0)
            return "a CookieContainer with cookies: set them on the requests of the user who owns them";
        return null;
    }
}
