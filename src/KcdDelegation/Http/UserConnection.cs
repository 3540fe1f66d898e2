using System.Net.Security;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography.X509Certificates;

namespace KcdDelegation.Http;

/// <summary>The connections of one user to one application: a SocketsHttpHandler, and the certificate that all of them show. Thread-safe; who
/// uses it and when it is closed is up to <see cref="UserConnectionPool"/>.</summary>
internal sealed class UserConnection : IDisposable
{
    private readonly HttpMessageInvoker _invoker;
    private readonly Lock _gate = new();
    private FirstRequest? _first;
    private volatile CertificateBinding? _binding;
    private volatile bool _isTied;

    /// <param name="handler">Owned; new.</param>
    /// <param name="key">Who may use it.</param>
    /// <param name="tied">Called when users share it and the backend ties it to one of them: nothing is sent any more, and
    /// <see cref="SendAsync"/> returns null.</param>
    public UserConnection(SocketsHttpHandler handler, ConnectionKey key, Action<UserConnection> tied)
    {
        Key = key;
        IdlePlace = new LinkedListNode<UserConnection>(this);
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

    /// <summary>Requests whose response is not read to its end. Like what follows, under the lock of <see cref="UserConnectionPool"/>.</summary>
    public int Leases { get; set; }

    /// <summary>Takes no further request and is closed when the last lease ends.</summary>
    public bool IsRetired { get; set; }

    /// <summary>When the last lease ended, a timestamp of the TimeProvider.</summary>
    public long IdleSince { get; set; }

    public LinkedListNode<UserConnection> IdlePlace { get; }

    /// <summary>Puts the ticket on the request, if there is one, and sends it.</summary>
    /// <returns>Null if nothing was sent, because a new connection shows another certificate than those before it, to which the ticket is
    /// bound, or a shared one was tied to its user: another <see cref="UserConnection"/> has to take the request.</returns>
    /// <exception cref="TokenSpentException">The backend closed the connection before it answered.</exception>
    public async Task<HttpResponseMessage?> SendAsync(HttpRequestMessage request, SentAuthorization? authorization, CancellationToken cancellationToken)
    {
        while (authorization is not null && Key.ChannelBinding && FirstOr(request, authorization) is { } first)
        {
            if (first.Request == request)
                return await SendFirstAsync(first, cancellationToken).ConfigureAwait(false);
            if (await first.Ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false) is { } failure)
                throw new HttpRequestException(HttpRequestError.ConnectionError, failure.Message, failure);
        }
        authorization?.PutOn(request, _binding is { } binding ? binding.ApplicationData : default);
        return await InvokeAsync(request, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _invoker.Dispose();

    /// <summary>Null once the certificate is known; until then the request that makes the connection, this one if there is no other.</summary>
    private FirstRequest? FirstOr(HttpRequestMessage request, SentAuthorization authorization)
    {
        if (_binding is not null)
            return null;
        lock (_gate)
            return _binding is not null ? null : _first ??= new FirstRequest(request, authorization);
    }

    /// <summary>The first request makes the connection that it is to be bound to: it goes without a ticket as far as the TLS handshake, where
    /// the ticket is put on it. The others wait for that, and fail with it if there is no connection to be had.</summary>
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

    /// <summary>Failed or cancelled: a later connection must not touch this request any more.</summary>
    private void EndFirst(FirstRequest first, Exception? failure)
    {
        lock (_gate)
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
            // The ticket could not be put on the request when the connection was there.
            ExceptionDispatchInfo.Throw(why);
            throw;
        }
    }

    /// <summary>.NET asks how to encode each header at the moment when it writes it to a connection: the last one, and the only one, at which a
    /// request can be held back that .NET sends again by itself.</summary>
    private HeaderEncodingSelector<HttpRequestMessage> WatchRequests(HeaderEncodingSelector<HttpRequestMessage>? next) => (name, request) =>
    {
        if (_isTied)
            throw new TiedConnectionException();
        if (string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase))
            SentAuthorization.GoOut(request);
        return next?.Invoke(name, request);
    };

    /// <summary>MS-N2HT §3.2.5: Persistent-Auth. It is read while .NET reads the response's headers, and so before the connection is free for
    /// the next request.</summary>
    private static HeaderEncodingSelector<HttpRequestMessage> WatchResponses(HeaderEncodingSelector<HttpRequestMessage>? next, PersistentAuthReader reader) =>
        (name, request) => string.Equals(name, PersistentAuthReader.Header, StringComparison.OrdinalIgnoreCase) ? reader : next?.Invoke(name, request);

    /// <summary>Runs on each new connection after its TLS handshake and before it takes a request. Until one has passed here nothing can have
    /// been written, so the waiting request is nobody else's.</summary>
    private Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>> CheckCertificate(
        Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? next) => (context, cancellationToken) =>
        {
            if (context.PlaintextStream is not SslStream { RemoteCertificate: { } certificate })
                throw new InvalidOperationException("The connection shows no certificate to which a ticket could be bound.");
            Learn(certificate);
            return next is null ? ValueTask.FromResult(context.PlaintextStream) : next(context, cancellationToken);
        };

    private void Learn(X509Certificate certificate)
    {
        using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        var shown = new CertificateBinding(copy.RawData, TlsServerEndPoint.ApplicationData(copy));
        lock (_gate)
        {
            if (_binding is { } known)
            {
                if (!known.Certificate.AsSpan().SequenceEqual(shown.Certificate))
                    throw new OtherCertificateException();
                return;
            }
            _first?.Authorization.PutOn(_first.Request, shown.ApplicationData);
            _first?.Ended.TrySetResult(null);
            (_first, _binding) = (null, shown);
        }
    }

    private sealed class FirstRequest(HttpRequestMessage request, SentAuthorization authorization)
    {
        public HttpRequestMessage Request { get; } = request;

        public SentAuthorization Authorization { get; } = authorization;

        /// <summary>Why there is no connection; null if there is one now, or its caller gave up and another request may try.</summary>
        public TaskCompletionSource<Exception?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed record CertificateBinding(byte[] Certificate, ReadOnlyMemory<byte> ApplicationData);

    private sealed class TiedConnectionException() : Exception("The backend has tied the connection to another user.");

    private sealed class OtherCertificateException() : Exception("The backend shows another certificate than on the connection before.");
}
