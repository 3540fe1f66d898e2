using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>The last sign-outs on this host, in their order. Thread-safe.</summary>
/// <remarks>A request can begin before a sign-out and reach a backend for the first time after it. It is not among the delegated requests
/// when the sign-out aborts these, so it is compared with the sign-outs since its beginning.</remarks>
internal sealed class RecentSignOuts
{
    /// <summary>The number of sign-outs that are kept. A request that began before more of them is refused.</summary>
    public const int Capacity = 4096;

    private readonly Lock _lock = new();
    private readonly SignOut[] _entries = new SignOut[Capacity];
    private long _count;

    /// <summary>Gets the number of sign-outs until now.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Adds a sign-out.</summary>
    /// <param name="user">The user.</param>
    /// <param name="except">The request that signs the user out, which goes on; null: none.</param>
    public void Add(ClaimsPrincipal user, HttpContext? except)
    {
        // Only the identifiers are kept: the principal can have the user's tokens. The server reuses the context, so it is not kept alive.
        var entry = new SignOut(SameUser.CopyIdentifiers(user), except is null ? null : new WeakReference<HttpContext>(except));
        lock (_lock)
        {
            _entries[_count % Capacity] = entry;
            Volatile.Write(ref _count, _count + 1);
        }
    }

    /// <summary>Determines whether the user signed out after the request's beginning.</summary>
    /// <param name="user">The user.</param>
    /// <param name="context">The request.</param>
    /// <param name="since">The <see cref="Count"/> at the request's beginning.</param>
    public bool Contains(ClaimsPrincipal user, HttpContext context, long since)
    {
        if (since == Count)
            return false;
        lock (_lock)
        {
            // A sign-out that is no longer kept may be this user's.
            if (_count - since > Capacity)
                return true;
            for (var number = since; number < _count; number++)
            {
                if (_entries[number % Capacity].Concerns(user, context))
                    return true;
            }
            return false;
        }
    }

    private readonly record struct SignOut(ClaimsPrincipal User, WeakReference<HttpContext>? Except)
    {
        public bool Concerns(ClaimsPrincipal user, HttpContext context) =>
            SameUser.Is(User, user) && !(Except?.TryGetTarget(out var except) == true && ReferenceEquals(except, context));
    }
}
