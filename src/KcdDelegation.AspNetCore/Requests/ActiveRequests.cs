using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>The running requests of this host that are delegated to a backend. Thread-safe.</summary>
/// <remarks>There is a linked list for each processor, so that requests seldom wait for a lock. The requests are its nodes: a table would
/// need an object for each, and their hash codes, which .NET keeps outside of an object that is locked.</remarks>
internal sealed class ActiveRequests
{
    private readonly RequestList[] _lists = [.. Enumerable.Range(0, Environment.ProcessorCount).Select(static _ => new RequestList())];

    /// <summary>Gets the last sign-outs, which a request is compared with when it is first delegated for a user.</summary>
    public RecentSignOuts SignOuts { get; } = new();

    public int Count => _lists.Sum(list => list.GetRequests().Count);

    /// <summary>Adds a request that is in no list, and returns the list that it is removed from.</summary>
    public RequestList Add(DelegatedRequest request)
    {
        var list = _lists[Thread.GetCurrentProcessorId() % _lists.Length];
        list.Add(request);
        return list;
    }

    /// <summary>Aborts every delegated request of the user, and those that began before and are delegated later.</summary>
    /// <param name="user">The user.</param>
    /// <param name="except">The request that signs the user out; null: none is kept.</param>
    /// <returns>The number of aborted requests.</returns>
    public int Abort(ClaimsPrincipal user, HttpContext? except)
    {
        // First: a request that is added after the enumeration below finds the sign-out.
        SignOuts.Add(user, except);
        return _lists.Sum(list => list.GetRequests().Count(request => request.TryAbort(user, except)));
    }
}
