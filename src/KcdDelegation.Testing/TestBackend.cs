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

/// <summary>A web application on loopback that wants Kerberos: 401 and <c>WWW-Authenticate: Negotiate</c> to a request without a good token,
/// else 200 and the user's name. Thread-safe.</summary>
public sealed class TestBackend : IAsyncDisposable
{
    private readonly TestBackendOptions _options;
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<TestBackendRequest> _requests = new();
    private readonly byte[] _channelBinding = [];

    private TestBackend(TestRealm realm, string servicePrincipalName, TestBackendOptions options)
    {
        _options = options;
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
    /// <param name="realm">Has the service.</param>
    /// <param name="servicePrincipalName">Such as HTTP/app.</param>
    /// <param name="options">Null: all defaults.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    /// <exception cref="ArgumentException">The realm has no such service.</exception>
    public static async Task<TestBackend> StartAsync(TestRealm realm, string servicePrincipalName, TestBackendOptions? options = null, CancellationToken cancellationToken = default)
    {
        var backend = new TestBackend(realm, servicePrincipalName, options ?? new TestBackendOptions());
        await backend._application.StartAsync(cancellationToken).ConfigureAwait(false);
        return backend;
    }

    /// <summary>Its root, such as <c>http://127.0.0.1:40123/</c>; with https by the name localhost, for which the certificate is.</summary>
    public Uri Url
    {
        get
        {
            var address = new Uri(_application.Urls.First());
            return Certificate is null ? address : new UriBuilder(address) { Host = "localhost" }.Uri;
        }
    }

    /// <summary>Checks the tokens; may be used without HTTP too.</summary>
    public TestAcceptor Acceptor { get; }

    /// <summary>Of the server; null: plain http. Disposed with the backend.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>What was received so far, in that order. A snapshot.</summary>
    public IReadOnlyList<TestBackendRequest> Requests => [.. _requests];

    /// <summary>Stops the server.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        Certificate?.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var authorization = (string?)context.Request.Headers.Authorization;
        var items = context.Features.Get<IConnectionItemsFeature>()!.Items;
        var identity = _options.ConnectionBound && items.TryGetValue(typeof(AcceptedIdentity), out var bound) ? (AcceptedIdentity?)bound : null;
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
        _requests.Enqueue(new TestBackendRequest(
            context.Request.Method, context.Request.Path + context.Request.QueryString, identity?.User.ToString(), authorization is not null, context.Connection.Id, refusal));
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
        return _options.Application is { } application ? application(context) : context.Response.WriteAsync(identity.User.ToString(), context.RequestAborted);
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
