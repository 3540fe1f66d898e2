using System.Runtime.CompilerServices;
using System.Security.Claims;
using KcdDelegation.Telemetry;

namespace KcdDelegation;

/// <summary>Extension methods that set the caller of a request, or mark that it has none, and return a backend's refusal or a hint about
/// it.</summary>
public static class KcdHttpRequestMessageExtensions
{
    private static readonly HttpRequestOptionsKey<RequestSettings> s_settings = new("KcdDelegation.Settings");
    private static readonly ConditionalWeakTable<HttpResponseMessage, KcdException> s_refusals = [];
    private static readonly ConditionalWeakTable<HttpResponseMessage, KcdException> s_hints = [];

    /// <summary>Sends this request as the caller. The value takes precedence over <see cref="ICallerAccessor"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">The authenticated user.</param>
    /// <exception cref="ArgumentException">The principal is not authenticated.</exception>
    /// <exception cref="InvalidOperationException"><see cref="SetAnonymous"/> was called for the request.</exception>
    public static void SetCaller(this HttpRequestMessage request, ClaimsPrincipal caller)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.Identity?.IsAuthenticated != true)
            throw new ArgumentException("The caller is not authenticated, so it cannot be delegated.", nameof(caller));
        if (request.IsAnonymous())
            throw new InvalidOperationException("The request is marked as anonymous, so it has no caller.");
        request.Options.Set(s_settings, request.GetSettings() with { Caller = caller });
    }

    /// <summary>Sends this request without a user: without a ticket and without any <c>Authorization</c>, on connections that no request of
    /// a user is sent on. The mark takes precedence over <see cref="ICallerAccessor"/>.</summary>
    /// <remarks>It is meant for health probes of a proxy. The application's address still applies. Set it in code that creates the request;
    /// never derive it from a path or a header of a client.</remarks>
    /// <param name="request">The request.</param>
    /// <exception cref="InvalidOperationException"><see cref="SetCaller"/> was called for the request.</exception>
    public static void SetAnonymous(this HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.GetCaller() is not null)
            throw new InvalidOperationException("The request has a caller, so it cannot be anonymous.");
        request.Options.Set(s_settings, request.GetSettings() with { IsAnonymous = true });
    }

    /// <summary>Allows this request to go to an address in addition to the configured ones of its application.</summary>
    /// <remarks>It is meant for proxies whose own configuration names the servers of an application. Take the address from configuration,
    /// never from a client. All servers of an application share its service principal name. The paths below the address are allowed; an
    /// address with plain http needs <see cref="DelegatedApplication.AllowPlainHttp"/>.</remarks>
    /// <param name="request">The request.</param>
    /// <param name="address">The scheme, the host and the port, and a path if the server has other content outside of it.</param>
    /// <param name="host">A value of the <c>Host</c> header that is allowed in addition to the one of the address; null for none.</param>
    /// <exception cref="ArgumentException">The address is not an http or https address, or has a user, a query or a fragment.</exception>
    public static void AllowOrigin(this HttpRequestMessage request, Uri address, string? host = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(address);
        ThrowIfNotAddress(address);
        var settings = request.GetSettings();
        request.Options.Set(s_settings, settings with { AllowedOrigin = address, AllowedHost = host ?? settings.AllowedHost });
    }

    /// <summary>Gets the cause of the backend's refusal, of the ticket or of a request without one (event 13022), or of the size of the
    /// request's header fields (event 4011).</summary>
    /// <remarks>The exception is for reading and logging; it is not thrown. The caller's own sign-in is valid, so a host that passes
    /// responses on answers 403 instead. A refusal may have any status.</remarks>
    /// <param name="response">A response of <see cref="KcdHandler"/>.</param>
    /// <returns>The cause, or null if the backend refused nothing.</returns>
    public static KcdException? GetKcdRefusal(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return s_refusals.TryGetValue(response, out var refusal) ? refusal : null;
    }

    /// <summary>Gets a possible cause of a status that the application may also have answered itself: header fields that are too large, for
    /// 400 and 413 (event 4011), or a ticket that the server could not accept, for 403 (event 4016).</summary>
    /// <remarks>The exception is for reading and logging; it is not thrown. Pass the response on.</remarks>
    /// <param name="response">A response of <see cref="KcdHandler"/>.</param>
    /// <returns>The possible cause, or null.</returns>
    public static KcdException? GetKcdHint(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return s_hints.TryGetValue(response, out var hint) ? hint : null;
    }

    /// <exception cref="ArgumentException">The address is not an http or https address, or has a user, a query or a fragment.</exception>
    internal static void ThrowIfNotAddress(Uri address)
    {
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeHttp)
            || address.UserInfo.Length > 0 || address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            throw new ArgumentException(
                "The address must be an http or https address without a user, a query and a fragment.", nameof(address));
        }
    }

    /// <summary>Allows the destination of a proxy, and sets the caller unless the request has one already, in one step.</summary>
    /// <param name="request">The request.</param>
    /// <param name="address">The destination's address, for which <see cref="ThrowIfNotAddress"/> was called.</param>
    /// <param name="host">A value of the <c>Host</c> header that is allowed; null for none.</param>
    /// <param name="caller">The authenticated user; null for none.</param>
    internal static void AllowDestination(this HttpRequestMessage request, Uri address, string? host, ClaimsPrincipal? caller)
    {
        var settings = request.GetSettings();
        request.Options.Set(s_settings, new RequestSettings(
            settings.Caller ?? caller, settings.IsAnonymous, address, host ?? settings.AllowedHost));
    }

    internal static ClaimsPrincipal? GetCaller(this HttpRequestMessage request) => request.GetSettings().Caller;

    internal static Uri? FindAllowedOrigin(this HttpRequestMessage request) => request.GetSettings().AllowedOrigin;

    internal static string? FindAllowedHost(this HttpRequestMessage request) => request.GetSettings().AllowedHost;

    internal static bool IsAnonymous(this HttpRequestMessage request) => request.GetSettings().IsAnonymous;

    internal static void SetKcdRefusal(this HttpResponseMessage response, KcdException refusal)
    {
        DelegationMetrics.BackendRefused(refusal.EventId, (int)response.StatusCode);
        s_refusals.AddOrUpdate(response, refusal);
    }

    internal static void SetKcdHint(this HttpResponseMessage response, KcdException hint) => s_hints.AddOrUpdate(response, hint);

    private static RequestSettings GetSettings(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_settings, out var settings) ? settings : RequestSettings.None;

    /// <summary>The settings of one request, under one key: the table of the options grows with each further key.</summary>
    /// <remarks>Immutable, because handlers that clone requests copy the options.</remarks>
    private sealed record RequestSettings(ClaimsPrincipal? Caller, bool IsAnonymous, Uri? AllowedOrigin, string? AllowedHost)
    {
        public static RequestSettings None { get; } = new(Caller: null, IsAnonymous: false, AllowedOrigin: null, AllowedHost: null);
    }
}
