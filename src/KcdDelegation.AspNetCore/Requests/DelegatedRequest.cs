using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace KcdDelegation.AspNetCore.Requests;

/// <summary>The delegation state of one incoming request: its user, the callers that it delegated, and a backend's refusal.
/// Thread-safe.</summary>
/// <remarks>
/// Servers reuse an <see cref="HttpContext"/> for the next request of a connection, which may be another user's. Code that a request
/// started and did not await can outlive it and still has its execution context. Every use of the context is therefore under a lock,
/// together with the check that the request has not ended. Afterwards there is no caller, and nothing is sent. The lock is on the object
/// itself, since there is one for each request and no other code locks it.
/// </remarks>
internal sealed class DelegatedRequest
{
    private static readonly AsyncLocal<DelegatedRequest?> s_current = new();

    private readonly HttpContext _context;
    private readonly ActiveRequests _active;
    private readonly long _signOutsBefore;
    private RequestList.Links _neighbours;
    private RequestList? _list;
    private ClaimsPrincipal? _caller;
    private List<ClaimsPrincipal>? _furtherCallers;
    private BackendRefusal? _refusal;
    private bool _hasEnded;
    private bool _isSignedOut;

    private DelegatedRequest(HttpContext context, ActiveRequests active) =>
        (_context, _active, _signOutsBefore) = (context, active, active.SignOuts.Count);

    /// <summary>Gets the request that the running code belongs to; null outside of a request and after its end.</summary>
    public static DelegatedRequest? Current => s_current.Value;

    /// <summary>Gets the links of the <see cref="RequestList"/> that the request is in.</summary>
    public ref RequestList.Links Neighbours => ref _neighbours;

    /// <summary>Gets the backend's last refusal during this request.</summary>
    public BackendRefusal? Refusal => Volatile.Read(ref _refusal);

    /// <summary>Gets or sets the response headers of the middleware outside of this package, which an error answer keeps.</summary>
    public IReadOnlyList<KeyValuePair<string, StringValues>> OuterHeaders { get; set; } = [];

    /// <summary>Starts the request and makes it the current one of the calling asynchronous method.</summary>
    public static DelegatedRequest Begin(HttpContext context, ActiveRequests active)
    {
        var request = new DelegatedRequest(context, active);
        s_current.Value = request;
        return request;
    }

    /// <summary>Registers that a request is sent to a backend for the current incoming one.</summary>
    /// <param name="request">The request.</param>
    /// <param name="callers">Returns the caller of a request that has none.</param>
    /// <param name="caller">The caller who will be set on the request, if it has none; null if that is not known yet.</param>
    /// <returns>The incoming request, whose refusal must be recorded; null if there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller signed out after the incoming request began. It is aborted.</exception>
    public static DelegatedRequest? TrackCurrent(HttpRequestMessage request, ICallerAccessor callers, ClaimsPrincipal? caller = null)
    {
        if (Current is not { } current)
            return null;
        if ((request.GetCaller() ?? caller ?? callers.Caller) is { } user)
            current.Track(user);
        return current;
    }

    /// <summary>Gets the user; null after the end of the request or of the user's session.</summary>
    public ClaimsPrincipal? GetUser()
    {
        lock (this)
            return _hasEnded ? null : _context.User;
    }

    /// <summary>Registers that the request is sent to a backend as the caller.</summary>
    /// <remarks>Work that outlives its request is not registered: it has only the callers that the host sets.</remarks>
    /// <exception cref="OperationCanceledException">The caller signed out after the request began. The request is aborted.</exception>
    public void Track(ClaimsPrincipal caller)
    {
        lock (this)
        {
            ThrowIfSignedOut();
            if (_hasEnded || ReferenceEquals(_caller, caller) || _furtherCallers?.Contains(caller) == true)
                return;
            if (_caller is null)
            {
                _caller = caller;
                _list = _active.Add(this);
            }
            else
                (_furtherCallers ??= []).Add(caller);
            // After the request was added: a sign-out in between either aborts it or is found here.
            if (_active.SignOuts.Contains(caller, _context, _signOutsBefore))
                Abort();
            ThrowIfSignedOut();
        }
    }

    /// <summary>Remembers the refusal of a response, if it is one.</summary>
    public void RecordRefusal(HttpResponseMessage response)
    {
        if (response.GetKcdRefusal() is { } refusal)
            Record(new BackendRefusal(refusal, response.StatusCode));
    }

    /// <summary>Aborts the request if it was delegated for the user. It has no caller afterwards.</summary>
    public bool TryAbort(ClaimsPrincipal user, HttpContext? except)
    {
        lock (this)
        {
            if (_hasEnded || ReferenceEquals(_context, except) || !HasCaller(user))
                return false;
            Abort();
            return true;
        }
    }

    /// <summary>Ends the request, before the server reuses its context.</summary>
    public void End()
    {
        lock (this)
        {
            _hasEnded = true;
            _list?.Remove(this);
            _list = null;
        }
    }

    /// <summary>Remembers the backend's refusal, so that its 401 does not become one of this host.</summary>
    private void Record(BackendRefusal refusal)
    {
        lock (this)
        {
            if (_hasEnded)
                return;
            var isFirst = _refusal is null;
            Volatile.Write(ref _refusal, refusal);
            if (isFirst && !_context.Response.HasStarted)
                _context.Response.OnStarting(static state => ReplaceUnauthorized((HttpResponse)state), _context.Response);
        }
    }

    private bool HasCaller(ClaimsPrincipal user) =>
        (_caller is { } first && SameUser.Is(first, user)) || _furtherCallers?.Exists(caller => SameUser.Is(caller, user)) == true;

    private void Abort()
    {
        _hasEnded = _isSignedOut = true;
        _context.Abort();
    }

    private void ThrowIfSignedOut()
    {
        if (_isSignedOut)
            throw new OperationCanceledException("The user signed out while the request was running. The request was aborted.");
    }

    /// <summary>Changes a 401 that was copied from the backend to 403. A client would answer 401 by signing in again.</summary>
    private static Task ReplaceUnauthorized(HttpResponse response)
    {
        if (response.StatusCode == StatusCodes.Status401Unauthorized)
        {
            response.StatusCode = StatusCodes.Status403Forbidden;
            response.Headers.WWWAuthenticate = StringValues.Empty;
            response.Headers.CacheControl = "no-store";
        }
        return Task.CompletedTask;
    }
}
