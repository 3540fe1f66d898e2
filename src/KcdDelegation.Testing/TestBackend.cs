using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Kerberos;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Testing;

/// <summary>A web application on loopback that requires Kerberos. A request without a valid token gets 401 and
/// <c>WWW-Authenticate: Negotiate</c>; others get 200 and the user's name. Thread-safe.</summary>
public sealed class TestBackend : IAsyncDisposable
{
    private readonly TestBackendOptions _options;
    private readonly string _servicePrincipalName;
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<TestBackendRequest> _requests = new();
    private readonly byte[] _channelBinding = [];

    private TestBackend(TestRealm realm, string servicePrincipalName, TestBackendOptions options)
    {
        (_options, _servicePrincipalName) = (options, servicePrincipalName);
        Acceptor = new TestAcceptor(realm, servicePrincipalName, options.Acceptor);
        if (options.Https)
        {
            Certificate = CreateCertificate();
            // RFC 5929 §4.1: the hash of the certificate's own signature, here SHA-256.
            _channelBinding = [.. "tls-server-end-point:"u8, .. SHA256.HashData(Certificate.RawData)];
        }
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = options.MaxHeaderBytes;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                if (Certificate is not null)
                    endpoint.UseHttps(Certificate);
            });
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        _application = builder.Build();
        _application.Run(AnswerAsync);
    }

    /// <summary>Starts the server on a free port of 127.0.0.1.</summary>
    /// <param name="realm">The realm of the service.</param>
    /// <param name="servicePrincipalName">The service, such as HTTP/app.</param>
    /// <param name="options">The settings; null: the defaults.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <exception cref="ArgumentException">The realm has no such service.</exception>
    public static async Task<TestBackend> StartAsync(
        TestRealm realm, string servicePrincipalName, TestBackendOptions? options = null, CancellationToken cancellationToken = default)
    {
        var backend = new TestBackend(realm, servicePrincipalName, options ?? new TestBackendOptions());
        await backend._application.StartAsync(cancellationToken).ConfigureAwait(false);
        return backend;
    }

    /// <summary>Gets the root address, such as <c>http://127.0.0.1:40123/</c>. With https the host is localhost, the name in the
    /// certificate.</summary>
    public Uri Url
    {
        get
        {
            var address = new Uri(_application.Urls.First());
            return Certificate is null ? address : new UriBuilder(address) { Host = "localhost" }.Uri;
        }
    }

    /// <summary>Gets the validator of the tokens. It can be used without HTTP too.</summary>
    public TestAcceptor Acceptor { get; }

    /// <summary>Gets the server's certificate, disposed with the backend; null: plain http.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>Gets a snapshot of the requests received so far, in order.</summary>
    public IReadOnlyList<TestBackendRequest> Requests => [.. _requests];

    /// <summary>Creates the library's settings for this backend: address, service principal name, and plain http if it uses that.</summary>
    /// <param name="loginIdentity">The caller's name that is delegated. The default maps <c>ada@contoso.test</c> to the user ada of the
    /// realm
    /// CONTOSO.TEST.</param>
    public DelegatedApplication CreateApplication(LoginIdentity loginIdentity = LoginIdentity.UserPrincipalUsername)
    {
        var application = new DelegatedApplication { LoginIdentity = loginIdentity };
        Configure(application);
        return application;
    }

    /// <summary>Makes a client trust the backend's certificate and no other.</summary>
    /// <remarks>Pass it to <c>AddKcdDelegation</c> of the HTTP client, or call it for the handlers that <see cref="KcdHandler"/>
    /// gets.</remarks>
    /// <exception cref="InvalidOperationException">The backend uses plain http.</exception>
    public void TrustCertificate(SocketsHttpHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        var expected = Certificate?.RawData
            ?? throw new InvalidOperationException("The backend has no certificate. Start it with TestBackendOptions.Https.");
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(expected);
    }

    /// <summary>Stops the server.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        Certificate?.Dispose();
    }

    internal void Configure(DelegatedApplication application)
    {
        (application.InternalUrl, application.ServicePrincipalName) = (Url, _servicePrincipalName);
        application.AllowPlainHttp = Certificate is null;
    }

    private Task AnswerAsync(HttpContext context)
    {
        var authorization = (string?)context.Request.Headers.Authorization;
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        var identity = _options.ConnectionBound ? items[typeof(AcceptedIdentity)] as AcceptedIdentity : null;
        string? refusal = null;
        try
        {
            if (identity is null && authorization is not null)
            {
                identity = Acceptor.Accept(authorization, _channelBinding);
                items[typeof(AcceptedIdentity)] = identity with { Reply = null };
            }
        }
        catch (KerberosException error)
        {
            refusal = error.Message;
        }
        var path = context.Request.Path + context.Request.QueryString;
        _requests.Enqueue(new TestBackendRequest(
            context.Request.Method, path, identity?.User.ToString(), authorization is not null, context.Connection.Id, refusal));
        return identity is null ? ChallengeAsync(context) : ServeAsync(context, identity);
    }

    private Task ChallengeAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = _options.Challenges.ToArray();
        return context.Response.CompleteAsync();
    }

    private Task ServeAsync(HttpContext context, AcceptedIdentity identity)
    {
        if (identity.Reply is { } reply)
            context.Response.Headers.WWWAuthenticate = reply;
        context.Features.Set(identity);
        return _options.Application is { } application
            ? application(context)
            : context.Response.WriteAsync(identity.User.ToString(), context.RequestAborted);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
