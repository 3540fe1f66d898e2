using System.Runtime.CompilerServices;

namespace KcdDelegation.Http;

/// <summary>Makes the handler of each user, from the application's own factory, and sees that it keeps users apart.</summary>
internal sealed class SocketsHttpHandlers(Func<SocketsHttpHandler>? create)
{
    private static readonly ConditionalWeakTable<SocketsHttpHandler, object> s_taken = [];

    /// <summary>Without cookies, redirects and proxy; connections are renewed now and then, so that changes of DNS are seen.</summary>
    public static SocketsHttpHandler CreateDefault() => new()
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        ConnectTimeout = TimeSpan.FromSeconds(15),
    };

    /// <exception cref="InvalidOperationException">The handler has settings that would mix users up, or was given before.</exception>
    public SocketsHttpHandler Create()
    {
        var handler = (create ?? CreateDefault)() ?? throw new InvalidOperationException("The factory of KcdHandler gave no SocketsHttpHandler.");
        if (!s_taken.TryAdd(handler, handler))
            throw new InvalidOperationException("The factory of KcdHandler gave the same SocketsHttpHandler twice. Make a new one each time: each user has connections of his own.");
        if (FindViolation(handler) is { } why)
            throw new InvalidOperationException($"A SocketsHttpHandler under KcdHandler must not have {why}.");

        // On by default in .NET, and so no one's wish. A cookie of one user would go to the next where connections are shared; a redirect
        // would go where no ticket may; the system's proxy would see the tickets.
        handler.UseCookies = false;
        handler.AllowAutoRedirect = false;
        handler.UseProxy = false;
        return handler;
    }

    private static string? FindViolation(SocketsHttpHandler handler)
    {
        if (handler.Credentials is not null)
            return "Credentials: it would answer the backend's challenge as the process, with NTLM too. Leave them null";
        if (handler.PreAuthenticate)
            return "PreAuthenticate: the tickets are put on by KcdHandler. Leave it off";
        if (handler.Proxy is not null || handler.DefaultProxyCredentials is not null)
            return "a proxy: it may carry several users over one connection to the backend. Call the backend directly";
        if (handler.UseCookies && handler.CookieContainer.Count > 0)
            return "a CookieContainer with cookies: set them on the requests of the user whose they are";
        return null;
    }
}
