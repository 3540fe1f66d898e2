using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.DirectoryServices.Errors;
using KcdDelegation.DirectoryServices.Messages;
using KcdDelegation.DirectoryServices.Sasl;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.ApExchange;

namespace KcdDelegation.DirectoryServices.Connections;

/// <summary>One authenticated connection to a server, with one request at a time. Not thread-safe. After an exception the connection is
/// broken.</summary>
internal sealed class LdapConnection : IAsyncDisposable
{
    private const int LdapPort = 389;
    private const int LdapsPort = 636;

    /// <summary>A bind takes two to four exchanges. More are no progress.</summary>
    private const int MaxBindSteps = 8;

    private readonly LdapStream _stream;
    private readonly DirectoryClientOptions _options;
    private readonly string _server;
    private int _messageId;

    private LdapConnection(LdapStream stream, DirectoryClientOptions options, string server, long openedAt)
    {
        (_stream, _options, _server) = (stream, options, server);
        OpenedAt = UsedAt = openedAt;
    }

    /// <summary>Gets the timestamp of the connection's start.</summary>
    public long OpenedAt { get; }

    /// <summary>Gets or sets the timestamp of the last use.</summary>
    public long UsedAt { get; set; }

    /// <summary>Gets whether the connection failed or has an answer outstanding.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Connects and binds.</summary>
    /// <exception cref="DirectoryException">The server cannot be reached, refused the bind, or did not prove itself.</exception>
    public static async Task<LdapConnection> OpenAsync(
        DirectoryServer server, DirectoryClientOptions options, CancellationToken cancellationToken)
    {
        var ticket = await GetTicketAsync(server, options, cancellationToken).ConfigureAwait(false);
        try
        {
            return await OpenAsync(server, ticket, options, cancellationToken).ConfigureAwait(false);
        }
        catch (DirectoryException error) when (error.IsOfTicket)
        {
            // The server's key or clock may have changed since the ticket was issued.
            if (await ReplaceAsync(ticket, server, options, cancellationToken).ConfigureAwait(false) is not { } replacement)
                throw;
            return await OpenAsync(server, replacement, options, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<LdapConnection> OpenAsync(
        DirectoryServer server, ServiceTicket ticket, DirectoryClientOptions options, CancellationToken cancellationToken)
    {
        var (transport, binding) = await ConnectAsync(server, options, cancellationToken).ConfigureAwait(false);
        var half = options.Timeout / 2;
        var answerTimeout = options.AnswerTimeout < half ? options.AnswerTimeout : half;
        var stream = new LdapStream(transport, server.Name, options.MaxMessageLength, answerTimeout);
        var connection = new LdapConnection(stream, options, server.Name, options.TimeProvider.GetTimestamp());
        try
        {
            await connection.BindAsync(ticket, binding, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Runs one search request, adds its entries and returns the end of its answer. If it fails, the entries that it added are
    /// disposed, since their values may be secret.</summary>
    /// <param name="search">The search.</param>
    /// <param name="attributes">The attributes to return.</param>
    /// <param name="cookie">The cookie of the page, or null for a search without pages.</param>
    /// <param name="budget">The bounds that the whole search has left.</param>
    /// <param name="entries">Receives the entries.</param>
    /// <param name="cancellationToken">Ends the request and the connection.</param>
    /// <exception cref="DirectoryException">The server refused, its answer was rejected, or a bound was exceeded.</exception>
    public async Task<LdapPage> SearchAsync(
        LdapSearch search,
        IReadOnlyList<string> attributes,
        byte[]? cookie,
        SearchBudget budget,
        List<LdapEntry> entries,
        CancellationToken cancellationToken)
    {
        var count = entries.Count;
        try
        {
            return await ReadPageAsync(search, attributes, cookie, budget, entries, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            foreach (var entry in entries.Skip(count))
                entry.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!IsBroken)
        {
            IsBroken = true;
            try
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await _stream.SendAsync(LdapRequest.EncodeUnbind(++_messageId), limit.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or SocketException or OperationCanceledException or KerberosException
                or InvalidOperationException)
            {
                // The server closed the connection first.
            }
        }
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    private async Task<LdapPage> ReadPageAsync(
        LdapSearch search,
        IReadOnlyList<string> attributes,
        byte[]? cookie,
        SearchBudget budget,
        List<LdapEntry> entries,
        CancellationToken cancellationToken)
    {
        IsBroken = true;
        var id = ++_messageId;
        var timeLimit = (int)Math.Ceiling(_options.Timeout.TotalSeconds);
        var request = LdapRequest.EncodeSearch(id, search, attributes, sizeLimit: 0, timeLimit, cookie);
        await SendAsync(request, cancellationToken).ConfigureAwait(false);
        var references = 0;
        while (true)
        {
            var (message, response) = await ReceiveAsync(id, search.ReadsSecrets, budget, cancellationToken).ConfigureAwait(false);
            switch (response)
            {
                case LdapResponse.Entry entry:
                    var read = new LdapEntry(entry.Name, message);
                    entries.Add(read);
                    foreach (var attribute in entry.Attributes)
                        read.Add(attribute.Type, attribute.Values);
                    budget.TakeEntry();
                    break;
                case LdapResponse.Reference:
                    // RFC 4511 §4.5.3: another server holds this part. The client sends its ticket to servers of the domain only.
                    references++;
                    budget.TakeEntry();
                    break;
                case LdapResponse.Done done:
                    IsBroken = false;
                    ThrowIfRefused(done.Result);
                    return new LdapPage(done.PageCookie ?? default, references);
                default:
                    throw DirectoryException.Rejected(_server, "the server answered a search with another operation");
            }
        }
    }

    private static async Task<ServiceTicket> GetTicketAsync(
        DirectoryServer server, DirectoryClientOptions options, CancellationToken cancellationToken)
    {
        var service = ServicePrincipalName.Parse($"ldap/{server.Name}");
        return (await RequestAsync(service, server, async () =>
            await options.Reader.GetAccountTicketAsync(service, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false))!;
    }

    /// <summary>Returns another ticket than the refused one, or null if it was replaced less than a minute ago.</summary>
    private static Task<ServiceTicket?> ReplaceAsync(
        ServiceTicket refused, DirectoryServer server, DirectoryClientOptions options, CancellationToken cancellationToken) =>
        RequestAsync(refused.Service, server, async () =>
            await options.Reader.ReplaceTicketAsync(refused, cancellationToken).ConfigureAwait(false));

    private static async Task<ServiceTicket?> RequestAsync(
        ServicePrincipalName service, DirectoryServer server, Func<Task<ServiceTicket?>> request)
    {
        try
        {
            return await request().ConfigureAwait(false);
        }
        catch (KerberosException error)
        {
            throw new DirectoryException(
                DirectoryFailure.NoTicket, server.Name, $"there is no ticket to {service}: {error.Message}",
                error.Code == KerberosErrorCode.ServicePrincipalUnknown
                    ? $"Register the name on the server's account, such as `setspn -S {service} DC$`, "
                        + $"Samba `samba-tool spn add {service} DC$`"
                    : "Check the reader's account and its key", error);
        }
    }

    private static async Task<(Stream Stream, ReadOnlyMemory<byte> Binding)> ConnectAsync(
        DirectoryServer server, DirectoryClientOptions options, CancellationToken cancellationToken)
    {
        var port = server.Port ?? (options.UseTls ? LdapsPort : LdapPort);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.ConnectTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (server.Address is { } address)
                await socket.ConnectAsync(address, port, limit.Token).ConfigureAwait(false);
            else
                await socket.ConnectAsync(server.Name, port, limit.Token).ConfigureAwait(false);
            var stream = new NetworkStream(socket, ownsSocket: true);
            return options.UseTls
                ? await AuthenticateServerAsync(stream, server, options, limit.Token).ConfigureAwait(false)
                : (stream, default);
        }
        catch (Exception error)
        {
            socket.Dispose();
            throw error switch
            {
                SocketException or IOException => DirectoryException.Unreachable(server.ToString(), error.Message, error),
                OperationCanceledException when !cancellationToken.IsCancellationRequested => DirectoryException.Unreachable(
                    server.ToString(), $"no connection within {options.ConnectTimeout.TotalSeconds:0.#} seconds", error),
                _ => error,
            };
        }
    }

    private static async Task<(Stream Stream, ReadOnlyMemory<byte> Binding)> AuthenticateServerAsync(
        NetworkStream stream, DirectoryServer server, DirectoryClientOptions options, CancellationToken cancellationToken)
    {
        var tls = new SslStream(stream);
        try
        {
            var chain = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
            if (options.TrustAnchors.Count > 0)
            {
                chain.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.CustomTrustStore.AddRange(options.TrustAnchors);
            }
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = server.Name, CertificateChainPolicy = chain }, cancellationToken)
                .ConfigureAwait(false);
            using var certificate = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
            return (tls, TlsServerEndPoint.CreateApplicationData(certificate));
        }
        catch (AuthenticationException error)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new DirectoryException(
                DirectoryFailure.AnswerRejected, server.Name, $"the server's certificate is not accepted: {error.Message}",
                "Install the authority that issued it, or name it in TrustAnchors", error);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task BindAsync(ServiceTicket ticket, ReadOnlyMemory<byte> binding, CancellationToken cancellationToken)
    {
        IsBroken = true;
        var seals = !_options.UseTls;
        var context = GssSecurityContext.Create(ticket, seals ? GssProtection.Confidentiality : GssProtection.None, binding);
        var isOwned = false;
        try
        {
            ISaslMechanism mechanism = _options.Mechanism == DirectoryMechanism.GssSpnego
                ? new SpnegoMechanism(_server, context, seals)
                : new GssapiMechanism(_server, context, seals, LdapStream.GetMaxFrameLength(_options.MaxMessageLength));
            if (await NegotiateAsync(mechanism, cancellationToken).ConfigureAwait(false) is { } layer)
            {
                _stream.UseLayer(layer);
                isOwned = true;
            }
            IsBroken = false;
        }
        finally
        {
            // With a layer, the stream disposes the context.
            if (!isOwned)
                context.Dispose();
        }
    }

    private async Task<SealedLayer?> NegotiateAsync(ISaslMechanism mechanism, CancellationToken cancellationToken)
    {
        var credentials = mechanism.Start();
        var budget = new SearchBudget(_options, _server);
        for (var step = 0; step < MaxBindSteps; step++)
        {
            var id = ++_messageId;
            await SendAsync(LdapRequest.EncodeBind(id, mechanism.Name, credentials.Span), cancellationToken).ConfigureAwait(false);
            var (_, response) = await ReceiveAsync(id, isSecret: false, budget, cancellationToken).ConfigureAwait(false);
            if (response is not LdapResponse.Bind bind)
                throw DirectoryException.Rejected(_server, "the server answered a bind with another operation");
            if (bind.Result.Code == LdapResultCode.Success)
                return mechanism.Complete(bind.Credentials);
            if (bind.Result.Code != LdapResultCode.SaslBindInProgress)
                ThrowIfRefused(bind.Result);
            credentials = mechanism.Continue(bind.Credentials ?? default);
        }
        throw DirectoryException.Rejected(_server, $"the bind is not complete after {MaxBindSteps} exchanges");
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await _stream.SendAsync(message, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw DirectoryException.Unreachable(_server, error.Message, error);
        }
    }

    private async ValueTask<(byte[] Message, LdapResponse Response)> ReceiveAsync(
        int id, bool isSecret, SearchBudget budget, CancellationToken cancellationToken)
    {
        byte[] message;
        try
        {
            message = await _stream.ReceiveAsync(isSecret, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw DirectoryException.Unreachable(_server, error.Message, error);
        }
        try
        {
            return (message, Read(message, id, budget));
        }
        catch
        {
            CryptographicOperations.ZeroMemory(message);
            throw;
        }
    }

    private LdapResponse Read(byte[] message, int id, SearchBudget budget)
    {
        budget.TakeBytes(message.Length);
        LdapResponse response;
        try
        {
            response = LdapResponse.Decode(message, _options.MaxValues);
        }
        catch (AsnContentException error)
        {
            throw DirectoryException.Rejected(_server, $"a message of the server is malformed: {error.Message}", error);
        }
        catch (TooManyValuesException)
        {
            throw DirectoryException.Large(_server, $"an entry has more than {_options.MaxValues} values");
        }
        if (response is LdapResponse.Extended { IsNoticeOfDisconnection: true } notice)
        {
            throw DirectoryException.Unreachable(
                _server, $"the server ends the connection: {LdapResultCode.GetName(notice.Result.Code)} {notice.Result.Diagnostic}");
        }
        return response.MessageId == id
            ? response
            : throw DirectoryException.Rejected(_server, $"the server answered the message {response.MessageId} instead of {id}");
    }

    private void ThrowIfRefused(LdapResult result)
    {
        if (result.Code == LdapResultCode.Success)
            return;
        var text = result.Diagnostic.Length > 0 ? $": {result.Diagnostic}" : "";
        var referral = result.Referral is { } uri ? $" (referral to {uri})" : "";
        throw new DirectoryException(
            DirectoryFailure.Refused, _server, $"{LdapResultCode.GetName(result.Code)} ({result.Code}){referral}{text}",
            LdapResultCode.GetRemedy(result.Code, result.Diagnostic), resultCode: result.Code);
    }
}
