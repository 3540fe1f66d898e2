using System.Net.Security;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography.X509Certificates;

namespace KcdDelegation.Http;

/// <summary>The connections of one user to one application: a SocketsHttpHandler and the certificate that all its connections present.
/// Thread-safe.</summary>
/// <remarks><see cref="UserConnectionPool"/> decides which requests use it and when it is closed.</remarks>
internal sealed class UserConnection : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly Lock _lock = new();
    private FirstRequest? _first;
    private volatile CertificateBinding? _binding;
    private volatile bool _isTied;

    /// <summary>Initializes the connections over a new handler.</summary>
    /// <param name="handler">The new handler, which this instance owns.</param>
    /// <param name="key">The key of the requests that may use it.</param>
    /// <param name="tied">Called when users share it and the backend ties it to one of them. Nothing more is sent, and
    /// <see cref="SendAsync"/> returns null.</param>
    public UserConnection(SocketsHttpHandler handler, ConnectionKey key, Action<UserConnection> tied)
    {
        Key = key;
        IdleNode = new LinkedListNode<UserConnection>(this);
        handler.RequestHeaderEncodingSelector = WatchRequests(handler.RequestHeaderEncodingSelector);
        if (key.User is null)
            handler.ResponseHeaderEncodingSelector = WatchResponses(handler.ResponseHeaderEncodingSelector, new PersistentAuthReader(() =>
            {
                _isTied = true;
                tied(this);
            }));
        if (key.ChannelBinding)
            handler.PlaintextStreamFilter = CheckCertificate(handler.PlaintextStreamFilter);
        _invoker = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    public ConnectionKey Key { get; }

    /// <summary>The number of requests whose response is not completely read. This and the next members are guarded by the lock of
    /// <see cref="UserConnectionPool"/>.</summary>
    public int Leases { get; set; }

    /// <summary>Whether it accepts no further request and is closed when the last lease ends.</summary>
    public bool IsRetired { get; set; }

    /// <summary>The time when the last lease ended, a timestamp of the TimeProvider.</summary>
    public long IdleSince { get; set; }

    public LinkedListNode<UserConnection> IdleNode { get; }

    /// <summary>Sets the ticket on the request, if there is one, and sends it.</summary>
    /// <returns>The response. Null if nothing was sent, because a new connection presents another certificate than the one to which the
    /// ticket is bound, or the backend tied a shared connection to its user. Another <see cref="UserConnection"/> must then send the
    /// request.</returns>
    /// <exception cref="TokenSpentException">The backend closed the connection before it answered.</exception>
    public async Task<HttpResponseMessage?> SendAsync(
        HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        while (authorization is not null && Key.ChannelBinding && FindOrStartFirst(request, authorization) is { } first)
        {
            if (first.Request == request)
                return await SendFirstAsync(first, cancellationToken).ConfigureAwait(false);
            if (await first.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } failure)
                throw new HttpRequestException(HttpRequestError.ConnectionError, failure.Message, failure);
        }
        authorization?.SetOn(request, _binding is { } binding ? binding.ApplicationData : default);
        return await InvokeAsync(request, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _invoker.Dispose();

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
    private async Task<HttpResponseMessage?> SendFirstAsync(FirstRequest first, CancellationToken cancellationToken)
    {
        try
        {
            return await InvokeAsync(first.Request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            EndFirst(first, cancellationToken.IsCancellationRequested || failure is KcdException ? null : failure);
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

    private async Task<HttpResponseMessage?> InvokeAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _invoker.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException error) when (error.InnerException is OtherCertificateException)
        {
            return null;
        }
        catch (TiedConnectionException)
        {
            return null;
        }
        catch (HttpRequestException error) when (error.InnerException is KcdException why)
        {
            // The ticket could not be set on the request after the connection was opened.
            ExceptionDispatchInfo.Throw(why);
            throw;
        }
    }

    /// <summary>Observes each write of a request to a connection, through the encoding selector that .NET calls for each header.</summary>
    /// <remarks>This is the only hook that runs when .NET itself resends a request, so it is the last opportunity to stop one.</remarks>
    private HeaderEncodingSelector<HttpRequestMessage> WatchRequests(HeaderEncodingSelector<HttpRequestMessage>? next) => (name, request) =>
    {
        if (_isTied)
            throw new TiedConnectionException();
        if (string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase))
            SentAuthorization.MarkWritten(request);
        return next?.Invoke(name, request);
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
    private Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>> CheckCertificate(
        Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? next) => (context, cancellationToken) =>
        {
            if (context.PlaintextStream is not SslStream { RemoteCertificate: { } certificate })
                throw new InvalidOperationException("The connection presents no certificate to which a ticket could be bound.");
            RecordCertificate(certificate);
            return next is null ? ValueTask.FromResult(context.PlaintextStream) : next(context, cancellationToken);
        };

    private void RecordCertificate(X509Certificate certificate)
    {
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        var shown = new CertificateBinding(copy.RawData, TlsServerEndPoint.CreateApplicationData(copy));
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

    private sealed class FirstRequest(HttpRequestMessage request, SentAuthorization authorization)
    {
        public HttpRequestMessage Request { get; } = request;

        public SentAuthorization Authorization { get; } = authorization;

        /// <summary>Completes with the failure; with null if there is a connection now, or if the caller cancelled and another request may
        /// try.</summary>
        public TaskCompletionSource<Exception?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record CertificateBinding(byte[] Certificate, ReadOnlyMemory<byte> ApplicationData);

    private sealed class TiedConnectionException() : Exception("The backend has tied the connection to another user.");

    private sealed class OtherCertificateException()
        : Exception("The backend presents another certificate than on the previous connection.");
}
