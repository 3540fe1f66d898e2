using System.Runtime.CompilerServices;
using System.Security.Claims;

namespace KcdDelegation;

/// <summary>Extension methods that set the caller of a request and return a backend's refusal.</summary>
public static class KcdHttpRequestMessageExtensions
{
    private static readonly HttpRequestOptionsKey<ClaimsPrincipal> s_caller = new("KcdDelegation.Caller");
    private static readonly ConditionalWeakTable<HttpResponseMessage, KcdException> s_refusals = [];

    /// <summary>Sends this request as the caller. The value takes precedence over <see cref="ICallerAccessor"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">The authenticated user.</param>
    /// <exception cref="ArgumentException">The principal is not authenticated.</exception>
    public static void SetCaller(this HttpRequestMessage request, ClaimsPrincipal caller)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.Identity?.IsAuthenticated != true)
            throw new ArgumentException("The caller is not authenticated, so it cannot be delegated.", nameof(caller));
        request.Options.Set(s_caller, caller);
    }

    /// <summary>Gets the cause of the backend's 401 (event 13022), to the ticket or to a request without one.</summary>
    /// <remarks>The exception is for reading and logging; it is not thrown. The caller's own sign-in is valid, so a host that passes
    /// responses on answers 403 instead.</remarks>
    /// <param name="response">A response of <see cref="KcdHandler"/>.</param>
    /// <returns>The cause, or null if the backend did not answer 401.</returns>
    public static KcdException? GetKcdRefusal(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return s_refusals.TryGetValue(response, out var refusal) ? refusal : null;
    }

    internal static ClaimsPrincipal? GetCaller(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_caller, out var caller) ? caller : null;

    internal static void SetKcdRefusal(this HttpResponseMessage response, KcdException refusal) =>
        s_refusals.AddOrUpdate(response, refusal);
}
