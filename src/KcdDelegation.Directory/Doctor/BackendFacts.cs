using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Settings;

namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The facts about the backend of one application. Each request is sent once, when its answer is needed first. Not
/// thread-safe.</summary>
internal sealed class BackendFacts(
    DoctorRequest request, AccountFacts account, ApplicationSettings application, UserFacts? user, UserFacts? otherUser)
{
    private readonly Dictionary<BackendProbe, Task<BackendAttempt>> _attempts = [];
    private Task<BackendName>? _name;
    private Task<IReadOnlyList<BackendAddress>>? _addresses;
    private Task<BackendCertificate?>? _certificate;
    private Task<BackendAttempt>? _withoutTicket;
    private Task<BackendAttempt>? _overHttp2;
    private Task<BackendAttempt>? _withWrongTicket;
    private Task<BackendAttempt>? _withShortToken;
    private Task<ServiceTicket?>? _ownTicket;
    private Task<BackendPersistence>? _persistence;

    public Uri Url => application.InternalUrl!;

    public bool IsHttps => Url.Scheme == Uri.UriSchemeHttps;

    /// <summary>Gets whether the host's own handler connects, so that neither DNS nor the addresses are examined.</summary>
    public bool HasOwnConnect { get; } = HasConnectCallback(request);

    /// <summary>Gets whether the library binds tickets to the TLS connection.</summary>
    public bool IsBound => IsHttps && application.ChannelBinding;

    /// <summary>Gets the format of the first attempt.</summary>
    public TokenFormat Format => application.TokenFormat == TokenFormat.Spnego ? TokenFormat.Spnego : TokenFormat.Kerberos;

    /// <summary>Resolves the host of the address.</summary>
    public Task<BackendName> GetNameAsync(CancellationToken cancellationToken) => _name ??= ResolveAsync(cancellationToken);

    /// <summary>Connects to each address of the host.</summary>
    public Task<IReadOnlyList<BackendAddress>> GetAddressesAsync(CancellationToken cancellationToken) =>
        _addresses ??= ConnectAsync(cancellationToken);

    /// <summary>Reads the certificate; null with plain http.</summary>
    public Task<BackendCertificate?> GetCertificateAsync(CancellationToken cancellationToken) =>
        _certificate ??= ReadCertificateAsync(cancellationToken);

    /// <summary>Sends a request without a ticket.</summary>
    public Task<BackendAttempt> GetWithoutTicketAsync(CancellationToken cancellationToken) =>
        _withoutTicket ??= SendAsync(connection => connection.SendAsync(cancellationToken: cancellationToken));

    /// <summary>Sends a request without a ticket over HTTP/2.</summary>
    public Task<BackendAttempt> GetOverHttp2Async(CancellationToken cancellationToken) =>
        _overHttp2 ??= SendAsync(connection => connection.SendAsync(
            version: HttpVersion.Version20, cancellationToken: cancellationToken));

    /// <summary>Sends a ticket of random bytes, which no key decrypts.</summary>
    public Task<BackendAttempt> GetWithWrongTicketAsync(CancellationToken cancellationToken) =>
        _withWrongTicket ??= SendAsync(connection => connection.SendAsync(
            authorization: $"{AuthorizationFrame.Scheme} {CreateWrongTicket()}", cancellationToken: cancellationToken));

    /// <summary>Sends a token of a few bytes, which is not a ticket.</summary>
    public Task<BackendAttempt> GetWithShortTokenAsync(CancellationToken cancellationToken) =>
        _withShortToken ??= SendAsync(connection => connection.SendAsync(
            authorization: $"{AuthorizationFrame.Scheme} YAA=", cancellationToken: cancellationToken));

    /// <summary>Gets whether the backend refuses requests over HTTP/1.1 and answers those over HTTP/2.</summary>
    public async Task<bool> IsHttp2OnlyAsync(CancellationToken cancellationToken)
    {
        var first = await GetWithoutTicketAsync(cancellationToken).ConfigureAwait(false);
        if (first.Answer is not null && first.Status is not (400 or 426 or 505))
            return false;
        var second = await GetOverHttp2Async(cancellationToken).ConfigureAwait(false);
        return second.Answer is not null && second.Status is not (400 or 426 or 505);
    }

    /// <summary>Sends the ticket of the user, the other user or the account itself in one form; null if there is no ticket.</summary>
    public async Task<BackendAttempt?> GetWithTicketAsync(BackendProbe probe, CancellationToken cancellationToken)
    {
        if (await GetTicketAsync(probe.Owner, cancellationToken).ConfigureAwait(false) is not { } ticket)
            return null;
        if (!_attempts.TryGetValue(probe, out var attempt))
        {
            _attempts[probe] = attempt = SendAsync(connection => connection.SendAsync(
                new SentAuthorization(CreateCredential(ticket, probe.AsksForProof), probe.Format), probe.IsBound,
                cancellationToken: cancellationToken));
        }
        return await attempt.ConfigureAwait(false);
    }

    /// <summary>Gets the answer to the user's ticket as the library sends it. With the format Auto the library tries both.</summary>
    public async Task<BackendAttempt> GetWithUserTicketAsync(CancellationToken cancellationToken)
    {
        var probe = new BackendProbe(TicketOwner.User, Format, IsBound);
        var attempt = (await GetWithTicketAsync(probe, cancellationToken).ConfigureAwait(false))!;
        if (application.TokenFormat != TokenFormat.Auto || attempt.Answer is not { IsRefusal: true, AcceptsTickets: true })
            return attempt;
        var other = (await GetWithTicketAsync(probe with { Format = LearnedFormat.GetOther(Format) }, cancellationToken)
            .ConfigureAwait(false))!;
        return other.IsSuccess ? other : attempt;
    }

    /// <summary>Sends the requests of two users over one connection.</summary>
    public Task<BackendPersistence> GetPersistenceAsync(CancellationToken cancellationToken) =>
        _persistence ??= ProbePersistenceAsync(cancellationToken);

    private static bool HasConnectCallback(DoctorRequest request)
    {
        using var handler = new SocketsHttpHandlers(request.CreateHandler).Create();
        return handler.ConnectCallback is not null;
    }

    private DelegatedCredential CreateCredential(ServiceTicket ticket, bool asksForProof = false) =>
        DelegatedCredential.FromTicket(ticket, asksForProof ? MutualAuthentication.Optional : application.MutualAuthentication);

    /// <summary>Sends a request over a new connection.</summary>
    private async Task<BackendAttempt> SendAsync(Func<BackendConnection, Task<BackendAttempt>> send)
    {
        using var connection = new BackendConnection(request, application);
        return await send(connection).ConfigureAwait(false);
    }

    private async Task<ServiceTicket?> GetTicketAsync(TicketOwner owner, CancellationToken cancellationToken)
    {
        if (owner == TicketOwner.Account)
            return await (_ownTicket ??= RequestOwnTicketAsync(cancellationToken)).ConfigureAwait(false);
        var facts = owner == TicketOwner.User ? user : otherUser;
        return facts is null ? null : (await facts.GetTicketAsync(application.Service, cancellationToken).ConfigureAwait(false)).Ticket;
    }

    private async Task<ServiceTicket?> RequestOwnTicketAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await account.Client.GetAccountTicketAsync(application.Service, cancellationToken).ConfigureAwait(false);
        }
        catch (KerberosException)
        {
            return null;
        }
    }

    private async Task<BackendName> ResolveAsync(CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(Url.IdnHost, out var literal))
            return new BackendName([literal], null, null);
        try
        {
            var entry = await Dns.GetHostEntryAsync(Url.IdnHost, cancellationToken)
                .WaitAsync(request.AnswerTimeout, cancellationToken).ConfigureAwait(false);
            return entry.AddressList.Length == 0
                ? new BackendName([], null, "it has no address")
                : new BackendName(entry.AddressList, entry.HostName.TrimEnd('.'), null);
        }
        catch (Exception error) when (error is SocketException or TimeoutException)
        {
            return new BackendName([], null, error is TimeoutException
                ? $"no answer from DNS within {request.AnswerTimeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s"
                : error.Message);
        }
    }

    private async Task<IReadOnlyList<BackendAddress>> ConnectAsync(CancellationToken cancellationToken)
    {
        var name = await GetNameAsync(cancellationToken).ConfigureAwait(false);
        return await Task.WhenAll(name.Addresses.Take(8).Select(ConnectToAsync)).ConfigureAwait(false);

        async Task<BackendAddress> ConnectToAsync(IPAddress address)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(request.AnswerTimeout);
            try
            {
                await socket.ConnectAsync(address, Url.Port, limit.Token).ConfigureAwait(false);
                return new BackendAddress(address, null);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return new BackendAddress(address, "no answer");
            }
            catch (SocketException error)
            {
                return new BackendAddress(address, error.Message);
            }
        }
    }

    private async Task<BackendCertificate?> ReadCertificateAsync(CancellationToken cancellationToken) =>
        IsHttps ? await BackendCertificate.ReadAsync(request, application, cancellationToken).ConfigureAwait(false) : null;

    /// <summary>Creates an AP-REQ for the service whose encrypted parts are random.</summary>
    private string CreateWrongTicket()
    {
        var ticket = Ticket.Create(
            application.Service.Realm ?? account.Realm, PrincipalName.From(application.Service),
            new EncryptedData(EncryptionType.Aes256CtsHmacSha1, null, RandomNumberGenerator.GetBytes(512)));
        var authenticator = new EncryptedData(EncryptionType.Aes256CtsHmacSha1, null, RandomNumberGenerator.GetBytes(160));
        var token = GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, new ApRequest(0, ticket, authenticator).Encode());
        var frame = new AuthorizationFrame(Format, token, 0);
        return frame.CreateParameter(new byte[frame.TailBufferLength]);
    }

    private async Task<BackendPersistence> ProbePersistenceAsync(CancellationToken cancellationToken)
    {
        var accepted = (await GetWithUserTicketAsync(cancellationToken).ConfigureAwait(false)).Sent!.Format;
        using var shared = new BackendConnection(request, application);
        var first = await SendTicketAsync(shared, TicketOwner.User).ConfigureAwait(false);
        if (first is not { IsSuccess: true, BodyHash: not null })
            return new BackendPersistence { Failure = $"the first response was {first?.Describe() ?? "missing"}, or too long to read" };
        var next = await shared.SendAsync(readsBody: true, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (shared.Count > 1 || next.Answer is null)
            return new BackendPersistence { ClosesConnections = true, IsDeclared = first.IsTied };
        var result = new BackendPersistence
        {
            IsDeclared = first.IsTied,
            ServesWithoutTicket = next.IsSuccess,
            StatusWithoutTicket = next.Status,
        };
        if (await GetTicketAsync(TicketOwner.OtherUser, cancellationToken).ConfigureAwait(false) is null)
            return result;
        using var alone = new BackendConnection(request, application);
        var expected = await SendTicketAsync(alone, TicketOwner.OtherUser).ConfigureAwait(false);
        using var second = new BackendConnection(request, application);
        _ = await SendTicketAsync(second, TicketOwner.User).ConfigureAwait(false);
        var mixed = await SendTicketAsync(second, TicketOwner.OtherUser).ConfigureAwait(false);
        return result with
        {
            HasTwoUsers = true,
            MixesUsers = second.Count == 1
                && mixed is { IsSuccess: true, BodyHash: { } body } && body.AsSpan().SequenceEqual(first.BodyHash)
                && expected is { IsSuccess: true, BodyHash: { } own } && !own.AsSpan().SequenceEqual(first.BodyHash),
        };

        async Task<BackendAttempt?> SendTicketAsync(BackendConnection connection, TicketOwner owner) =>
            await GetTicketAsync(owner, cancellationToken).ConfigureAwait(false) is { } ticket
                ? await connection.SendAsync(
                    new SentAuthorization(CreateCredential(ticket), accepted), IsBound, readsBody: true,
                    cancellationToken: cancellationToken).ConfigureAwait(false)
                : null;
    }
}

/// <summary>The owner of a ticket to the backend.</summary>
internal enum TicketOwner
{
    User,
    OtherUser,
    Account,
}

/// <summary>One form of a request with a ticket.</summary>
/// <param name="Owner">The owner of the ticket.</param>
/// <param name="Format">The format of the token.</param>
/// <param name="IsBound">Whether the ticket is bound to the TLS connection.</param>
/// <param name="AsksForProof">Whether the backend is asked for a proof even if the settings do not ask for one.</param>
internal readonly record struct BackendProbe(TicketOwner Owner, TokenFormat Format, bool IsBound, bool AsksForProof = false);

/// <summary>The result of resolving the host of a backend.</summary>
/// <param name="Addresses">The addresses.</param>
/// <param name="CanonicalName">The name at the end of the aliases; null for an address without a name.</param>
/// <param name="Failure">The failure, or null.</param>
internal sealed record BackendName(IReadOnlyList<IPAddress> Addresses, string? CanonicalName, string? Failure);

/// <summary>The result of connecting to one address.</summary>
internal sealed record BackendAddress(IPAddress Address, string? Failure);

/// <summary>The result of requests of several users over one connection.</summary>
internal sealed record BackendPersistence
{
    /// <summary>Gets the reason why it could not be found out, or null.</summary>
    public string? Failure { get; init; }

    /// <summary>Gets whether the backend closes the connection after the response.</summary>
    public bool ClosesConnections { get; init; }

    /// <summary>Gets whether the backend states that it ties the user to the connection.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>Gets whether it serves a request without a ticket after one with a ticket.</summary>
    public bool ServesWithoutTicket { get; init; }

    public int StatusWithoutTicket { get; init; }

    /// <summary>Gets whether a second user was compared.</summary>
    public bool HasTwoUsers { get; init; }

    /// <summary>Gets whether the second user gets the page of the first.</summary>
    public bool MixesUsers { get; init; }
}
