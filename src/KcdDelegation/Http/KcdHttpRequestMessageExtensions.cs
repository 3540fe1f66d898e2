using System.Runtime.CompilerServices;
using System.Security.Claims;

namespace KcdDelegation;

/// <summary>Tells <see cref="KcdHandler"/> whose request it is, and tells why a backend refused it.</summary>
public static class KcdHttpRequestMessageExtensions
{
    private static readonly HttpRequestOptionsKey<ClaimsPrincipal> s_caller = new("KcdDelegation.Caller");
    private static readonly ConditionalWeakTable<HttpResponseMessage, KcdException> s_refusals = [];

    /// <summary>Sends this request as the caller. Wins over <see cref="ICallerAccessor"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="caller">An authenticated principal.</param>
    /// <exception cref="ArgumentException">The principal is not authenticated.</exception>
    public static void SetCaller(this HttpRequestMessage request, ClaimsPrincipal caller)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(caller);
        if (caller.Identity?.IsAuthenticated != true)
            throw new ArgumentException("The caller is not authenticated: nobody can be delegated.", nameof(caller));
        request.Options.Set(s_caller, caller);
    }

    /// <summary>Why the backend answered 401 (event 13022), to the ticket or without asking for one: a <see cref="KcdException"/> to read and to
    /// show, not thrown. The caller's own sign-in is good, so a host that passes responses on answers him 403 instead.</summary>
    /// <param name="response">A response of <see cref="KcdHandler"/>.</param>
    /// <returns>Null if the backend did not answer 401.</returns>
    public static KcdException? GetKcdRefusal(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return s_refusals.TryGetValue(response, out var refusal) ? refusal : null;
    }

    internal static ClaimsPrincipal? GetCaller(this HttpRequestMessage request) =>
        request.Options.TryGetValue(s_caller, out var caller) ? caller : null;

    internal static void SetKcdRefusal(this HttpResponseMessage response, KcdException refusal) => s_refusals.AddOrUpdate(response, refusal);
}
