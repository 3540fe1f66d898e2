using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>The running requests of this host that are delegated to a backend. Thread-safe.</summary>
internal sealed class ActiveRequests
{
    private readonly ConcurrentDictionary<DelegatedRequest, bool> _requests = new(ReferenceEqualityComparer.Instance);

    public int Count => _requests.Count;

    public void Add(DelegatedRequest request) => _requests.TryAdd(request, true);

    public void Remove(DelegatedRequest request) => _requests.TryRemove(request, out _);

    /// <summary>Aborts every delegated request of the user.</summary>
    /// <param name="user">The user.</param>
    /// <param name="except">The request that signs the user out; null: none is kept.</param>
    /// <returns>The number of aborted requests.</returns>
    public int Abort(ClaimsPrincipal user, HttpContext? except) => _requests.Keys.Count(request => request.TryAbort(user, except));
}
