using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Headers;
using KcdDelegation.Http;
using KcdDelegation.Identity;
using KcdDelegation.Kerberos;
using KcdDelegation.Settings;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.InteropTests;

/// <summary>A web server of the lab as an application: real tickets by the realm's connector, and an HTTP client that sends them.</summary>
internal sealed class LabApplication : IAsyncDisposable, IDelegationSource
{
    private readonly ServiceAccount _account;
    private readonly S4UClient _tickets;
    private readonly AuthorizationTemplateCache _templates = new();
    private readonly ConcurrentDictionary<string, bool> _replacements = new(StringComparer.Ordinal);

    /// <param name="realm">Where the users and the connector live; the server's SPN is <c>HTTP/web.DOMAIN</c>.</param>
    /// <param name="url">At 127.0.0.1; the requests name web.DOMAIN, as the servers' certificate does.</param>
    public LabApplication(LabRealm realm, Uri url)
        : this(realm, url, ServiceAccount.FromKeytab(realm.Connector, realm.Keytab("connector")),
            [EncryptionType.Aes256CtsHmacSha1, EncryptionType.Aes128CtsHmacSha1])
    {
    }

    /// <param name="realm">As above.</param>
    /// <param name="url">As above.</param>
    /// <param name="account">Delegates; disposed with this.</param>
    /// <param name="types">That are offered, and so those that session keys have.</param>
    public LabApplication(LabRealm realm, Uri url, ServiceAccount account, IReadOnlyList<EncryptionType> types)
    {
        _account = account;
        _tickets = new S4UClient(
            new S4UClientOptions { Realm = realm.Realm, Account = _account, Kdcs = { [realm.Realm] = [realm.Kdc] },
            EncryptionTypes = types });
        Realm = realm;
        Settings = new ApplicationSettings(
            "lab", new UriBuilder(url) { Host = $"web.{realm.Domain}" }.Uri, ServicePrincipalName.Parse(realm.Spn("web")),
            TokenFormat.Kerberos, AuthenticationStart.Preemptive, MutualAuthentication.Required,
            ChannelBinding: true, ShareConnectionsBetweenUsers: false,
            new ClientSettings(
                realm.Realm, realm.Connector, KeyFileKind.Keytab, "",
                new RealmKdcs(ImmutableSortedDictionary<string, ImmutableArray<KdcEndpoint>>.Empty)),
            new MappingContext { ApplicationName = "lab", Realm = realm.Realm },
            new CallerPolicy(TenantId: null, AllowGuests: false, AllowApplicationTokens: false));
    }

    public LabRealm Realm { get; }

    /// <summary>The number of users whose ticket was replaced because the server refused it.</summary>
    public int Replacements => _replacements.Count;

    public ApplicationSettings Settings { get; set; }

    public HttpClient CreateClient() => new(new KcdHandler(this, "lab", CreateHandler, callers: null));

    /// <summary>The response to one request as the user.</summary>
    public Task<HttpResponseMessage> GetAsync(HttpClient client, string user) => SendAsync(client, user, content: null);

    /// <summary>The response to one request as the user: GET, or POST with a body.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpClient client, string user, HttpContent? content)
    {
        using var request = new HttpRequestMessage(content is null ? HttpMethod.Get : HttpMethod.Post, Settings.InternalUrl)
        {
            Content = content,
        };
        request.SetCaller(new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, user)], "lab")));
        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    ILogger IDelegationSource.Logger => NullLogger.Instance;

    ILogger IDelegationSource.Audit => NullLogger.Instance;

    TimeProvider IDelegationSource.TimeProvider => TimeProvider.System;

    ApplicationSettings IDelegationSource.GetApplication(string name) => Settings;

    async ValueTask<DelegatedCredential> IDelegationSource.DelegateAsync(
        ApplicationSettings application, ClaimsPrincipal caller, CancellationToken cancellationToken)
    {
        var ticket = _tickets.GetTicketAsync(
            KerberosPrincipal.Principal(caller.Identity!.Name!, Realm.Realm), application.Service, cancellationToken);
        var isFromCache = ticket.IsCompleted;
        return new DelegatedCredential(await ticket, _templates, application.MutualAuthentication, isFromCache);
    }

    async ValueTask<DelegatedCredential?> IDelegationSource.ReplaceAsync(
        ApplicationSettings application, DelegatedCredential refused, CancellationToken cancellationToken)
    {
        if (await _tickets.ReplaceTicketAsync(refused.Ticket, cancellationToken) is not { } ticket)
            return null;
        _replacements[refused.Ticket.User.Name] = true;
        return new DelegatedCredential(ticket, _templates, application.MutualAuthentication);
    }

    public async ValueTask DisposeAsync()
    {
        await _tickets.DisposeAsync();
        _account.Dispose();
    }

    /// <summary>Makes a handler trust the certificate of the lab and connect to loopback, whatever the host's name is.</summary>
    public static void Configure(SocketsHttpHandler handler)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        if (File.Exists(LabWeb.CertificatePath))
            trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(LabWeb.CertificatePath));
        handler.SslOptions.CertificateChainPolicy = trust;
        handler.ConnectCallback = static async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
    }

    private static SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler();
        Configure(handler);
        return handler;
    }
}
