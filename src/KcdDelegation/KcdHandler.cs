using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;

namespace KcdDelegation;

/// <summary>Sends requests to one application as the caller: a fresh ticket token on each, on connections that are the caller's alone. A
/// primary handler, not a delegating one, since only who owns the connections can keep users apart and knows the certificate that tickets are
/// bound to. One SocketsHttpHandler per user, bounded in number: idle ones make room, and when all are busy a new user waits until he is
/// cancelled. HTTP/1.1 only, no redirects, no cookies of its own. Handlers that retry belong outside of it, so that each attempt has a token
/// of its own; it sends again by itself, with a new token, what is idempotent and has no body if a kept connection broke. Thread-safe.</summary>
/// <remarks>Where there is no ticket nothing is sent and <see cref="KcdException"/> is thrown; so it is where the backend had to prove itself
/// and did not, after the request was sent. A backend's 401 is returned without its challenges of Negotiate, Kerberos and NTLM, with
/// <see cref="KcdHttpRequestMessageExtensions.GetKcdRefusal"/> saying why; what the host's own caller is answered is up to the host.</remarks>
public sealed class KcdHandler : HttpMessageHandler
{
    private const int DefaultCapacity = 1000;

    private readonly IDelegationSource _source;
    private readonly string _application;
    private readonly ICallerAccessor? _callers;
    private readonly UserConnectionPool _connections;
    private readonly LearnedFormat _formats = new();

    /// <summary>Makes a handler for one application.</summary>
    /// <param name="client">Not owned.</param>
    /// <param name="application">Its name in the options. Looked up for each request, so that options can change.</param>
    /// <param name="createHandler">Gives a new handler each time, all configured alike; null: defaults without cookies, redirects and proxy.</param>
    /// <param name="callers">Asked where the request does not say whose it is (<see cref="KcdHttpRequestMessageExtensions.SetCaller"/>).</param>
    /// <exception cref="ArgumentException">The application has no name.</exception>
    /// <exception cref="InvalidOperationException">The factory's handlers would mix users up; the message says how.</exception>
    public KcdHandler(DelegationClient client, string application, Func<SocketsHttpHandler>? createHandler = null, ICallerAccessor? callers = null)
        : this((IDelegationSource)(client ?? throw new ArgumentNullException(nameof(client))), application, createHandler, callers)
    {
    }

    internal KcdHandler(
        IDelegationSource source, string application, Func<SocketsHttpHandler>? createHandler, ICallerAccessor? callers, int capacity = DefaultCapacity)
    {
        ArgumentException.ThrowIfNullOrEmpty(application);
        (_source, _application, _callers) = (source, application, callers);
        var handlers = new SocketsHttpHandlers(createHandler);
        // A wrong factory is an error now, not at the first user.
        handlers.Create().Dispose();
        _connections = new UserConnectionPool(handlers.Create, capacity, source.TimeProvider, () => Log.SharingEnded(source.Logger, application));
    }

    /// <inheritdoc/>
    /// <exception cref="KcdException">There is no caller, no ticket for him, the request goes elsewhere than to the application, or the backend
    /// did not prove itself.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var application = _source.GetApplication(_application);
        var caller = request.GetCaller() ?? _callers?.Caller;
        try
        {
            RequestTarget.ThrowIfOutside(application, request);
            OutgoingRequest.Prepare(request);
            var credential = await _source.DelegateAsync(application, Authenticated(caller), cancellationToken).ConfigureAwait(false);
            var exchange = new DelegatedExchange(application, credential, _formats, _source.Logger);
            return await exchange.SendAsync(request, _connections, cancellationToken).ConfigureAwait(false);
        }
        catch (KcdException refusal)
        {
            Log.Refused(_source.Audit, application.Name, caller, refusal);
            throw;
        }
        finally
        {
            SentAuthorization.TakeOff(request);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _connections.Dispose();
        base.Dispose(disposing);
    }

    private static ClaimsPrincipal Authenticated(ClaimsPrincipal? caller) =>
        caller?.Identity?.IsAuthenticated == true ? caller : throw new KcdException(DelegationFailure.Identity(
            KcdEventId.CallerMissing,
            "The request has no authenticated caller. Nothing was sent.",
            "Set the caller with request.SetCaller(principal), or register an ICallerAccessor. In ASP.NET Core, require authorization for the route."));
}
