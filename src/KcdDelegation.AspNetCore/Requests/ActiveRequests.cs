using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>The running requests of this host that are delegated to a backend. Thread-safe.</summary>
internal sealed class ActiveRequests
{
    private readonly ConcurrentDictionary<DelegatedRequest, bool> _requests = new(ReferenceEqualityComparer.Instance);

    /// <summary>Gets the last sign-outs, which a request is compared with when it is first delegated for a user.</summary>
    public RecentSignOuts SignOuts { get; } = new();

    public int Count => _requests.Count;

    public void Add(DelegatedRequest request) => _requests.TryAdd(request, true);

    public void Remove(DelegatedRequest request) => _requests.TryRemove(request, out _);

    /// <summary>Aborts every delegated request of the user, and those that began before and are delegated later.</summary>
    /// <param name="user">The user.</param>
    /// <param name="except">The request that signs the user out; null: none is kept.</param>
    /// <returns>The number of aborted requests.</returns>
    public int Abort(ClaimsPrincipal user, HttpContext? except)
    {
        // First: a request that is added after the enumeration below finds the sign-out.
        SignOuts.Add(user, except);
        return _requests.Keys.Count(request => request.TryAbort(user, except));
    }
}
