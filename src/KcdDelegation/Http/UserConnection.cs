using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Diagnosis;

namespace KcdDelegation.Http;

/// <summary>The connections of one user to one application: a SocketsHttpHandler and the certificate that all its connections present.
/// Thread-safe.</summary>
/// <remarks><see cref="PooledUser"/> decides which requests use it. It is closed when it is retired and its last lease has ended.</remarks>
internal sealed class UserConnection
{
    /// <summary>The flag in <see cref="_state"/> of connections that accept no further request.</summary>
    private const int Retired = 1 << 30;

    /// <summary>The value of <see cref="_state"/> after the handler was disposed.</summary>
    private const int Closed = int.MinValue;

    private readonly ConnectionServices _services;
    private readonly Lock _lock = new();
    private HttpMessageInvoker? _invoker;
    private FirstRequest? _first;
    private volatile CertificateBinding? _binding;
    private volatile bool _isTied;

    /// <summary>The number of leases, and <see cref="Retired"/>; or <see cref="Closed"/>.</summary>
    private int _state;

    /// <summary>Initializes the connections. Their handler is created by the first request.</summary>
    /// <param name="user">The user of the connections.</param>
    /// <param name="services">The factory, the log and the metrics.</param>
    /// <param name="first">The request that opens the first connection; null for the first one that is sent.</param>
    public UserConnection(PooledUser user, ConnectionServices services, FirstRequest? first) =>
        (User, _services, _first) = (user, services, first);

    /// <summary>Gets the user of the connections.</summary>
    public PooledUser User { get; }

    private ConnectionKey Key => User.Key;

    /// <summary>Adds a lease, unless the connections accept no further request.</summary>
    public bool TryAddLease()
    {
        var state = Volatile.Read(ref _state);
        while (state is >= 0 and < Retired)
        {
            var seen = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (seen == state)
                return true;
            state = seen;
        }
        return false;
    }

    public void EndLease()
    {
        if (Interlocked.Decrement(ref _state) == Retired)
            CloseRetired();
    }

    /// <summary>Refuses further requests, and closes the connections when the last lease ends.</summary>
    public void Retire()
    {
        if (Interlocked.Or(ref _state, Retired) is 0 or Retired)
            CloseRetired();
    }

    /// <summary>Sets the ticket on the request, if there is one, and sends it.</summary>
    /// <exception cref="TokenSpentException">The backend closed the connection before it answered.</exception>
    /// <exception cref="Exception">The request was not sent, for a reason that <see cref="NeedsOtherConnection"/> recognizes, or
    /// failed.</exception>
    public ValueTask<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        if (authorization is not null && Key.ChannelBinding && _binding is null)
            return SendUnboundAsync(request, authorization, cancellationToken);
        authorization?.SetOn(request, _binding is { } binding ? binding.ApplicationData : default);
        return InvokeAsync(request, cancellationToken);
    }

    /// <summary>Determines whether nothing was sent, because a new connection presents another certificate than the one to which the
    /// ticket is bound, or the backend tied a shared connection to its user. Another <see cref="UserConnection"/> must then send the
    /// request.</summary>
    public static bool NeedsOtherConnection(Exception error) =>
        error is TiedConnectionException or HttpRequestException { InnerException: OtherCertificateException };

    /// <summary>Sends a request with a ticket while the certificate is not known yet.</summary>
    private async ValueTask<HttpResponseMessage> SendUnboundAsync(
        HttpRequestMessage request, SentAuthorization authorization, CancellationToken cancellationToken)
    {
        while (FindOrStartFirst(request, authorization) is { } first)
        {
            if (first.Request == request)
                return await SendFirstAsync(first, cancellationToken).ConfigureAwait(false);
            if (await first.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } failure)
                throw new HttpRequestException(HttpRequestError.ConnectionError, failure.Message, failure);
        }
        authorization.SetOn(request, _binding is { } binding ? binding.ApplicationData : default);
        return await InvokeAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private void CloseRetired()
    {
        if (Interlocked.CompareExchange(ref _state, Closed, Retired) != Retired)
            return;
        lock (_lock)
            _invoker?.Dispose();
    }

    /// <summary>Returns the handler, which is created when the first request is sent. If the factory fails, that request fails.</summary>
    private HttpMessageInvoker GetInvoker()
    {
        if (Volatile.Read(ref _invoker) is { } invoker)
            return invoker;
        lock (_lock)
            return _invoker ??= CreateInvoker();
    }

    private HttpMessageInvoker CreateInvoker()
    {
        var handler = _services.CreateHandler();
        handler.RequestHeaderEncodingSelector = WatchRequests(handler.RequestHeaderEncodingSelector);
        if (Key.User is null)
            handler.ResponseHeaderEncodingSelector = WatchResponses(handler.ResponseHeaderEncodingSelector, new PersistentAuthReader(() =>
            {
                _isTied = true;
                User.EndSharing(this);
            }));
        handler.PlaintextStreamFilter = WatchConnections(handler.PlaintextStreamFilter);
        return new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Returns null if the certificate is known, otherwise the request that opens the first connection. This request becomes it if
    /// there is none.</summary>
    private FirstRequest? FindOrStartFirst(HttpRequestMessage request, SentAuthorization authorization)
    {
        if (_binding is not null)
            return null;
        lock (_lock)
            return _binding is not null ? null : _first ??= new FirstRequest(request, authorization);
    }

    /// <summary>Sends the request that opens the first connection.</summary>
    /// <remarks>It has no ticket until the TLS handshake, where the ticket is bound to the certificate and set on it. The other requests
    /// wait for that, and fail with it if no connection can be opened.</remarks>
    private async ValueTask<HttpResponseMessage> SendFirstAsync(FirstRequest first, CancellationToken cancellationToken)
    {
        try
        {
            return await InvokeAsync(first.Request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            EndFirst(first, cancellationToken.IsCancellationRequested || HasKcdCause(failure) ? null : failure);
            throw;
        }
    }

    /// <summary>Ends the first request after a failure or cancellation. A later connection must not change this request any more.</summary>
    private void EndFirst(FirstRequest first, Exception? failure)
    {
        lock (_lock)
        {
            if (_first == first)
                _first = null;
        }
        first.Ended.TrySetResult(failure);
    }

    /// <summary>Determines whether the ticket could not be set on the request, which concerns this request only.</summary>
    private static bool HasKcdCause(Exception failure) => failure is KcdException or HttpRequestException { InnerException: KcdException };

    private ValueTask<HttpResponseMessage> InvokeAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        new(GetInvoker().SendAsync(request, cancellationToken));

    /// <summary>Observes each write of a request to a connection, through the encoding selector that .NET calls for each header.</summary>
    /// <remarks>This is the only hook that runs when .NET itself resends a request, so it is the last opportunity to stop one.</remarks>
    private HeaderEncodingSelector<HttpRequestMessage> WatchRequests(HeaderEncodingSelector<HttpRequestMessage>? next) => (name, request) =>
    {
        if (_isTied)
            throw new TiedConnectionException();
        return string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase)
            ? SentAuthorization.BeginWrite(request) ?? next?.Invoke(name, request)
            : next?.Invoke(name, request);
    };

    /// <summary>Observes Persistent-Auth (MS-N2HT §3.2.5) while .NET reads the response's headers, before the connection is free for the
    /// next request.</summary>
    private static HeaderEncodingSelector<HttpRequestMessage> WatchResponses(
        HeaderEncodingSelector<HttpRequestMessage>? next, PersistentAuthReader reader) =>
        (name, request) =>
            string.Equals(name, PersistentAuthReader.Header, StringComparison.OrdinalIgnoreCase) ? reader : next?.Invoke(name, request);

    /// <summary>Returns a filter that runs on each new connection after its TLS handshake and before its first request.</summary>
    /// <remarks>Before the first connection passes the filter nothing can have been written, so the pending request belongs to this
    /// connection.</remarks>
    private Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>> WatchConnections(
        Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? next) => async (context, cancellationToken) =>
        {
            if (Key.ChannelBinding)
                RecordCertificate((context.PlaintextStream as SslStream)?.RemoteCertificate);
            var stream = next is null
                ? context.PlaintextStream
                : await next(context, cancellationToken).ConfigureAwait(false);
            return Key.User is null ? new SharedStream(stream, _services.Metrics) : new UserStream(stream, _services.Metrics);
        };

    private void RecordCertificate(X509Certificate? certificate)
    {
        if (certificate is null)
            throw new InvalidOperationException("The connection presents no certificate to which a ticket could be bound.");
        var shown = _services.GetBinding(certificate);
        if (shown.ApplicationData.IsEmpty)
            AcceptUnbound(shown);
        lock (_lock)
        {
            if (_binding is { } known)
            {
                if (!known.Certificate.AsSpan().SequenceEqual(shown.Certificate))
                    throw new OtherCertificateException();
                return;
            }
            _first?.Authorization.SetOn(_first.Request, shown.ApplicationData);
            _first?.Ended.TrySetResult(null);
            (_first, _binding) = (null, shown);
        }
    }

    /// <summary>Accepts a certificate for which RFC 5929 §4.1 defines no binding, unless the application requires one.</summary>
    private void AcceptUnbound(CertificateBinding shown)
    {
        if (!Key.RequiresChannelBinding)
        {
            _services.ReportUnbound(Key.Origin, shown);
            return;
        }
        throw new DelegationFailure(
            KcdStage.Target,
            KcdErrorKind.Configuration, KcdEventId.ChannelBindingRequired,
            $"{Key.Origin} presents a certificate whose signature algorithm ({PrintableText.From(shown.Algorithm ?? "unknown")}) "
                + "defines no channel binding, but the application requires one. Nothing was sent.",
            "Give the backend a certificate that is signed with RSA or ECDSA, or set RequireChannelBinding to false.").ToException();
    }

    private sealed class TiedConnectionException() : Exception("The backend has tied the connection to another user.");

    private sealed class OtherCertificateException()
        : Exception("The backend presents another certificate than on the previous connection.");
}

/// <summary>The request that opens the first connection, and whose ticket is bound to that connection's certificate.</summary>
internal sealed class FirstRequest(HttpRequestMessage request, SentAuthorization authorization)
{
    public HttpRequestMessage Request { get; } = request;

    public SentAuthorization Authorization { get; } = authorization;

    /// <summary>Gets the source that completes with the failure; with null if there is a connection now, or if the caller cancelled and
    /// another request may try.</summary>
    public TaskCompletionSource<Exception?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
