using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Http;
using KcdDelegation.Settings;

namespace KcdDelegation;

/// <summary>Sends requests to one application as the caller, with a new ticket token on each request and on connections that no other user
/// shares. Thread-safe.</summary>
/// <remarks>
/// <para>This is a primary handler. Only the owner of the connections can separate users and knows the certificate that tickets are bound
/// to. It keeps one SocketsHttpHandler per user, for at most <see cref="KcdOptions.MaxUsers"/> users. Idle ones are closed to admit new
/// users. When all are in use, a new user waits for <see cref="KcdOptions.MaxConnectionWait"/> at most.</para>
/// <para>It uses HTTP/1.1 only, and refuses requests that demand another version. It uses neither redirects nor cookies. Handlers that
/// retry belong outside of this one, so that each attempt has its own token. If a kept connection breaks, this handler
/// repeats an idempotent request without a body, with a new token.</para>
/// <para>Without a ticket nothing is sent, and <see cref="KcdException"/> is thrown. It is also thrown after sending, if the backend must
/// prove its identity and does not. A backend's refusal is returned without its challenges of Negotiate, Kerberos and NTLM.
/// <see cref="KcdHttpRequestMessageExtensions.GetKcdRefusal"/> returns the cause. The host decides how to answer its own caller.</para>
/// <para>A refusal of a cached ticket may come from a change of the service's key. The ticket is replaced, at most once per user, service
/// and minute. The request is sent again with the new ticket if its body is absent, in memory, or at most 64 KB.</para>
/// </remarks>
public sealed class KcdHandler : HttpMessageHandler
{
    private readonly IDelegationSource _source;
    private readonly string _application;
    private readonly ICallerAccessor? _callers;
    private readonly UserConnectionPool _connections;
    private readonly AnonymousConnections _anonymous;
    private readonly LearnedBackend _learned;
    private readonly Action<HttpRequestMessage, HttpResponseMessage>? _onResponse;

    /// <summary>Creates a handler for one application.</summary>
    /// <param name="client">The delegation client. The handler does not own it.</param>
    /// <param name="application">The application's name in the options. It is looked up for each request, so that options can
    /// change.</param>
    /// <param name="createHandler">Returns a new handler on each call, always with the same configuration; null uses defaults without
    /// cookies, redirects and proxy.</param>
    /// <param name="callers">Returns the caller of a request for which <see cref="KcdHttpRequestMessageExtensions.SetCaller"/> was not
    /// called.</param>
    /// <exception cref="ArgumentException">The name of the application is empty.</exception>
    /// <exception cref="InvalidOperationException">The handlers of the factory would let users share state. The message names the
    /// setting.</exception>
    public KcdHandler(
        DelegationClient client, string application, Func<SocketsHttpHandler>? createHandler = null, ICallerAccessor? callers = null)
        : this((IDelegationSource)(client ?? throw new ArgumentNullException(nameof(client))), application, createHandler, callers)
    {
    }

    /// <summary>Creates a handler for one application.</summary>
    /// <param name="source">The source of tickets.</param>
    /// <param name="application">The application's name in the options.</param>
    /// <param name="createHandler">Returns a new handler on each call.</param>
    /// <param name="callers">Returns the caller of a request that has none; null for none.</param>
    /// <param name="onResponse">Inspects and changes each response before it is returned. If it refuses one, it disposes it. It runs
    /// in the execution context of the request. A handler around this one would do the same with one more object for each
    /// request.</param>
    internal KcdHandler(
        IDelegationSource source, string application, Func<SocketsHttpHandler>? createHandler, ICallerAccessor? callers,
        Action<HttpRequestMessage, HttpResponseMessage>? onResponse = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(application);
        (_source, _application, _callers, _onResponse) = (source, application, callers, onResponse);
        var handlers = new SocketsHttpHandlers(createHandler);
        // A wrong factory fails here and not at the first request.
        _anonymous = new AnonymousConnections(handlers.Create());
        _connections = new UserConnectionPool(new ConnectionServices(handlers, application, source.Logger), source.TimeProvider);
        _learned = new LearnedBackend(source.TimeProvider);
    }

    /// <inheritdoc/>
    /// <exception cref="KcdException">There is no caller or no ticket for them, the request's target is not the application, the request
    /// demands another HTTP version, or the backend did not prove its identity.</exception>
    /// <exception cref="HttpRequestException">The connection failed. With <see cref="HttpRequestError.ExtendedConnectNotSupported"/> the
    /// request was a WebSocket's handshake over HTTP/2 and was not sent.</exception>
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var application = _source.GetApplication(_application);
        return request.IsAnonymous()
            ? SendAnonymousAsync(application, request, cancellationToken)
            : new DelegatedExchange(_source, application, request.GetCaller() ?? FindCurrentCaller(), _learned, _onResponse)
                .SendAsync(request, _connections, cancellationToken);
    }

    /// <summary>Closes the connections of each user as soon as the user is idle, from now on. Requests are still sent.</summary>
    internal void Retire() => _connections.Retire();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _connections.Dispose();
            _anonymous.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Returns the caller of the running code, if they are authenticated. Those of requests are when they are set.</summary>
    private ClaimsPrincipal? FindCurrentCaller() => _callers?.Caller is { Identity.IsAuthenticated: true } caller ? caller : null;

    private async Task<HttpResponseMessage> SendAnonymousAsync(
        ApplicationSettings application, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            _ = RequestTarget.GetOrigin(application, request);
            OutgoingRequest.Prepare(request);
            var response = await _anonymous.SendAsync(request, cancellationToken).ConfigureAwait(false);
            _onResponse?.Invoke(request, response);
            return response;
        }
        catch (KcdException refusal)
        {
            Log.Refused(_source.Audit, application.Name, caller: null, refusal);
            throw;
        }
    }
}
