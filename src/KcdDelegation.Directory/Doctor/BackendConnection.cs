using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Http;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>One connection to a backend for the requests of the checks, made as <see cref="KcdHandler"/> makes its own: without cookies,
/// redirects and proxy. Not thread-safe.</summary>
internal sealed class BackendConnection : IDisposable
{
    /// <summary>The limit on a body that is read. Longer ones end the connection.</summary>
    private const int MaxBody = 16 * 1024;

    private readonly ApplicationSettings _application;
    private readonly TimeSpan _timeout;
    private readonly HttpMessageInvoker _invoker;
    private ReadOnlyMemory<byte>? _binding;
    private (HttpRequestMessage Request, SentAuthorization Sent)? _pending;

    public BackendConnection(DoctorRequest request, ApplicationSettings application)
    {
        (_application, _timeout) = (application, request.AnswerTimeout);
        var handler = new SocketsHttpHandlers(request.CreateHandler).Create();
        handler.MaxConnectionsPerServer = 1;
        handler.MaxResponseDrainSize = MaxBody;
        handler.ConnectTimeout = _timeout;
        handler.RequestHeaderEncodingSelector = static (name, message) =>
            string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase) ? SentAuthorization.BeginWrite(message) : null;
        handler.PlaintextStreamFilter = FilterAsync;
        _invoker = new HttpMessageInvoker(handler, disposeHandler: true);
    }

    /// <summary>Gets the number of connections that were opened. More than one means that the backend closed the one before.</summary>
    public int Count { get; private set; }

    private Uri Url => _application.InternalUrl!;

    /// <summary>Sends a GET to the application's address and returns the response.</summary>
    /// <param name="sent">The ticket, or null.</param>
    /// <param name="isBound">Whether the ticket is bound to the certificate of the connection.</param>
    /// <param name="authorization">A value in place of a ticket, or null.</param>
    /// <param name="version">The version of HTTP; null for HTTP/1.1.</param>
    /// <param name="readsBody">Whether to read the body. The connection can be used again afterwards.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<BackendAttempt> SendAsync(
        SentAuthorization? sent = null,
        bool isBound = false,
        string? authorization = null,
        Version? version = null,
        bool readsBody = false,
        CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_timeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, Url)
        {
            Version = version ?? HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        try
        {
            SetTicket(request, sent, isBound);
            using var response = await _invoker.SendAsync(request, limit.Token).ConfigureAwait(false);
            var body = readsBody ? await ReadBodyAsync(response, limit.Token).ConfigureAwait(false) : null;
            return BackendAttempt.FromResponse(response, sent, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return BackendAttempt.FromTimeout(_timeout);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or AuthenticationException or TokenSpentException
            or KcdException)
        {
            return BackendAttempt.FromError(error, sent);
        }
        finally
        {
            _pending = null;
        }
    }

    public void Dispose() => _invoker.Dispose();

    /// <summary>Sets the ticket on the request, or leaves that to the TLS handshake, which shows the certificate.</summary>
    private void SetTicket(HttpRequestMessage request, SentAuthorization? sent, bool isBound)
    {
        if (sent is null)
            return;
        // Settings allow plain http only by choice. A ticket is never sent over it otherwise.
        if (Url.Scheme != Uri.UriSchemeHttps && !_application.AllowPlainHttp)
            throw new HttpRequestException("A ticket is not sent over plain http.");
        if (!isBound || Url.Scheme != Uri.UriSchemeHttps)
            sent.SetOn(request, default);
        else if (_binding is { } known)
            sent.SetOn(request, known);
        else
            _pending = (request, sent);
    }

    private ValueTask<Stream> FilterAsync(SocketsHttpPlaintextStreamFilterContext context, CancellationToken cancellationToken)
    {
        Count++;
        if (context.PlaintextStream is SslStream { RemoteCertificate: { } certificate })
        {
            using var copy = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
            _binding = TlsServerEndPoint.CreateApplicationData(copy);
        }
        if (_pending is { } pending && _binding is { } binding)
            pending.Sent.SetOn(pending.Request, binding);
        _pending = null;
        return ValueTask.FromResult(context.PlaintextStream);
    }

    /// <summary>Reads the body, or returns null if it is too long.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            var buffer = new byte[MaxBody];
            var length = 0;
            while (await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                length += read;
                if (length == MaxBody)
                    return null;
            }
            return buffer[..length];
        }
    }
}
