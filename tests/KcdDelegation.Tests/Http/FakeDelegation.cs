using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.TicketCache;
using KcdDelegation.Settings;
using KcdDelegation.Tests.Headers;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>A delegation source with one application, and a ticket for every user except "mallory".</summary>
internal sealed class FakeDelegation : IDelegationSource
{
    private readonly ConcurrentDictionary<string, ServiceTicket> _tickets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _replaced = new(StringComparer.Ordinal);
    private readonly AuthorizationTemplateCache _templates = new();
    private int _replacements;

    public FakeDelegation(Uri url, string name = "app") => Application = new ApplicationSettings(
        name, url, FakeTickets.Service, TokenFormat.Kerberos, AuthenticationStart.Preemptive, MutualAuthentication.Off,
        ChannelBinding: true, ShareConnectionsBetweenUsers: false,
        new ClientSettings(
            "CONTOSO.COM", "CONNECTOR$", KeyFileKind.Keytab, "none",
            new RealmKdcs(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>>.Empty)),
        new MappingContext { ApplicationName = name, Realm = "CONTOSO.COM" },
        new CallerPolicy(TenantId: null, AllowGuests: false, AllowApplicationTokens: false));

    public ApplicationSettings Application { get; set; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public int TicketsAsked { get; private set; }

    /// <summary>The number of replacements that were requested, including those that were denied.</summary>
    public int Replacements => _replacements;

    /// <summary>The version of the service's key that encrypts new tickets.</summary>
    public uint KeyVersion { get; set; } = 1;

    /// <summary>The number of bytes that are added to each new ticket.</summary>
    public int TicketSize { get; set; }

    /// <summary>The number of next tickets that are evicted before their use.</summary>
    public int Evictions { get; set; }

    /// <summary>The name in replaced tickets; null: the user's.</summary>
    public string? ReplacedUser { get; set; }

    /// <summary>The error of each replacement, or null.</summary>
    public KcdException? ReplacementError { get; set; }

    public LogRecorder Log { get; } = new();

    public static ClaimsPrincipal Caller(string name) => new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "test"));

    /// <summary>Creates a client. Its requests name their caller with <see cref="As"/>.</summary>
    /// <param name="createHandler">The factory of handlers; null for one that accepts the backend's certificate.</param>
    /// <param name="callers">The accessor of the caller.</param>
    /// <param name="capacity">The number of users who have connections; null for the number in the settings.</param>
    public HttpClient CreateClient(Func<SocketsHttpHandler>? createHandler = null, ICallerAccessor? callers = null, int? capacity = null)
    {
        if (capacity is { } users)
            Limit(limits => limits with { MaxUsers = users });
        return new HttpClient(new KcdHandler(this, Application.Name, createHandler ?? TrustTheBackend, callers))
        {
            BaseAddress = Application.InternalUrl,
        };
    }

    /// <summary>Changes the bounds of connections, as a change of the settings does.</summary>
    public void Limit(Func<ConnectionLimits, ConnectionLimits> change) =>
        Application = Application with { Connections = change(Application.Connections) };

    public static HttpRequestMessage As(string user, string path = "/", HttpMethod? method = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method ?? (content is null ? HttpMethod.Get : HttpMethod.Post), path) { Content = content };
        request.SetCaller(Caller(user));
        return request;
    }

    /// <summary>Evicts a user's ticket.</summary>
    public void Evict(string user)
    {
        if (_tickets.TryRemove(user, out var ticket))
            ((ICachedTicket)ticket).Retire();
    }

    ILogger IDelegationSource.Logger => Log.CreateLogger(KcdDelegation.Diagnosis.Log.Category);

    ILogger IDelegationSource.Audit => Log.CreateLogger(KcdDelegation.Diagnosis.Log.AuditCategory);

    TimeProvider IDelegationSource.TimeProvider => Time;

    ApplicationSettings IDelegationSource.GetApplication(string name) =>
        name == Application.Name ? Application : throw new InvalidOperationException("Another application was requested.");

    ValueTask<DelegatedCredential> IDelegationSource.DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        TicketsAsked++;
        var user = caller.Identity!.Name!;
        if (user == "mallory")
            throw DelegationFailure.Identity(KcdEventId.NoIdentity, "No ticket for mallory.", "None.").ToException();
        var isFromCache = _tickets.TryGetValue(user, out var ticket);
        ticket ??= _tickets.GetOrAdd(user, CreateTicket(user));
        if (Evictions > 0)
        {
            Evictions--;
            Evict(user);
        }
        return ValueTask.FromResult(new DelegatedCredential(ticket, _templates, application.MutualAuthentication, isFromCache));
    }

    /// <summary>Replaces a ticket once per user, as the engine does within a minute.</summary>
    ValueTask<DelegatedCredential?> IDelegationSource.ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _replacements);
        if (ReplacementError is { } error)
            throw error;
        var user = refused.Ticket.User.Name;
        if (_tickets.TryGetValue(user, out var current) && current != refused.Ticket)
            return ValueTask.FromResult<DelegatedCredential?>(new(current, _templates, application.MutualAuthentication));
        if (!_replaced.TryAdd(user, true))
            return ValueTask.FromResult<DelegatedCredential?>(null);
        var ticket = _tickets[user] = CreateTicket(ReplacedUser ?? user);
        return ValueTask.FromResult<DelegatedCredential?>(new(ticket, _templates, application.MutualAuthentication));
    }

    private ServiceTicket CreateTicket(string user) => FakeTickets.For(user, TicketSize, keyVersion: KeyVersion);

    public static SocketsHttpHandler TrustTheBackend()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        return handler;
    }
}
