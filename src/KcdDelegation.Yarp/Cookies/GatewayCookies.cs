using System.Collections.Concurrent;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Session;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Yarp.Cookies;

/// <summary>The cookies of the gateway itself, which a backend neither receives nor sets. Thread-safe.</summary>
/// <remarks>A backend that received the cookie of the gateway's session could use the session of the user.</remarks>
internal sealed class GatewayCookies(IServiceProvider services, IOptions<KcdReverseProxyOptions> options)
{
    private readonly ConcurrentDictionary<string, bool> _affinity = new(CookieNames.Comparer);
    private Task? _reading;
    private CookieNames? _names;

    /// <summary>Gets the names.</summary>
    /// <exception cref="InvalidOperationException">They have not been read.</exception>
    public CookieNames Names => Volatile.Read(ref _names)
        ?? throw new InvalidOperationException("The names of the gateway's cookies have not been read.");

    /// <summary>Adds the cookie of a cluster's session affinity. It stays, since browsers keep cookies after a reload too.</summary>
    public void AddAffinity(string name) => _affinity.TryAdd(name, true);

    /// <summary>Reads the names. The host's settings are read once.</summary>
    public Task ReadNamesAsync()
    {
        var reading = Volatile.Read(ref _reading);
        if (reading is null || reading.IsFaulted)
            Volatile.Write(ref _reading, reading = ReadAsync());
        return reading;
    }

    private async Task ReadAsync()
    {
        List<string> names = [.. options.Value.GatewayCookies];
        if (services.GetService<IAuthenticationSchemeProvider>() is { } schemes)
        {
            foreach (var scheme in await schemes.GetAllSchemesAsync().ConfigureAwait(false))
            {
                if (typeof(CookieAuthenticationHandler).IsAssignableFrom(scheme.HandlerType))
                    names.AddRange(GetSessionNames(services, scheme.Name));
                else if (typeof(IAuthenticationRequestHandler).IsAssignableFrom(scheme.HandlerType))
                    // A sign-in in progress. The handlers' options are of different types, so the defaults are listed.
                    names.AddRange([".AspNetCore.Correlation.*", ".AspNetCore.OpenIdConnect.Nonce.*"]);
            }
        }
        if (services.GetService<ISessionStore>() is not null
            && services.GetRequiredService<IOptions<SessionOptions>>().Value.Cookie.Name is { } session)
            names.Add(session);
        if (services.GetService<IAntiforgery>() is not null
            && services.GetRequiredService<IOptions<AntiforgeryOptions>>().Value.Cookie.Name is { } antiforgery)
            names.Add(antiforgery);
        Volatile.Write(ref _names, CookieNames.Create(names, _affinity));
    }

    /// <summary>Returns the names of a cookie scheme. A long cookie is sent in parts: the name, followed by C1, C2 and so on.</summary>
    private static IEnumerable<string> GetSessionNames(IServiceProvider services, string scheme) =>
        services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(scheme).Cookie.Name is { Length: > 0 } name
            ? [name, name + CookieNames.PartSuffix] : [];
}
