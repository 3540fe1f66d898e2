using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Claims;
using KcdDelegation.Diagnosis;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using KcdDelegation.Tests.Headers;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>A delegation source with one application, and a ticket for every user except "mallory".</summary>
internal sealed class FakeDelegation : IDelegationSource
{
    private readonly ConcurrentDictionary<string, ServiceTicket> _tickets = new(StringComparer.Ordinal);
    private readonly AuthorizationTemplateCache _templates = new();

    public FakeDelegation(Uri url) => Application = new ApplicationSettings(
        "app", url, FakeTickets.Service, TokenFormat.Kerberos, AuthenticationStart.Preemptive, MutualAuthentication.Off,
        ChannelBinding: true, ShareConnectionsBetweenUsers: false,
        new ClientSettings(
            "CONTOSO.COM", "CONNECTOR$", KeyFileKind.Keytab, "none",
            new RealmKdcs(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>>.Empty)),
        new MappingContext { ApplicationName = "app", Realm = "CONTOSO.COM" },
        new CallerPolicy(TenantId: null, AllowGuests: false, AllowApplicationTokens: false));

    public ApplicationSettings Application { get; set; }

    public int TicketsAsked { get; private set; }

    public LogRecorder Log { get; } = new();

    public static ClaimsPrincipal Caller(string name) => new(new ClaimsIdentity([new Claim(ClaimTypes.Name, name)], "test"));

    /// <summary>Creates a client. Its requests name their caller with <see cref="As"/>.</summary>
    public HttpClient CreateClient(Func<SocketsHttpHandler>? createHandler = null, ICallerAccessor? callers = null, int capacity = 100) =>
        new(new KcdHandler(this, "app", createHandler ?? TrustTheBackend, callers, capacity)) { BaseAddress = Application.InternalUrl };

    public static HttpRequestMessage As(string user, string path = "/", HttpMethod? method = null, HttpContent? content = null)
    {
        var request = new HttpRequestMessage(method ?? (content is null ? HttpMethod.Get : HttpMethod.Post), path) { Content = content };
        request.SetCaller(Caller(user));
        return request;
    }

    ILogger IDelegationSource.Logger => Log.CreateLogger(KcdDelegation.Diagnosis.Log.Category);

    ILogger IDelegationSource.Audit => Log.CreateLogger(KcdDelegation.Diagnosis.Log.AuditCategory);

    TimeProvider IDelegationSource.TimeProvider => TimeProvider.System;

    ApplicationSettings IDelegationSource.GetApplication(string name) =>
        name == "app" ? Application : throw new InvalidOperationException("Another application was requested.");

    ValueTask<DelegatedCredential> IDelegationSource.DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        TicketsAsked++;
        var user = caller.Identity!.Name!;
        if (user == "mallory")
            throw DelegationFailure.Identity(KcdEventId.NoIdentity, "No ticket for mallory.", "None.").ToException();
        return ValueTask.FromResult(new DelegatedCredential(
            _tickets.GetOrAdd(user, static name => FakeTickets.For(name)), _templates, application.MutualAuthentication));
    }

    public static SocketsHttpHandler TrustTheBackend()
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost";
        return handler;
    }
}
