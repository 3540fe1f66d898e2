using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Tests.Headers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Tests.Http;

/// <summary>A web server on loopback that records its requests and answers as a test specifies.</summary>
internal sealed class FakeBackend : IAsyncDisposable
{
    private readonly WebApplication _application;

    private FakeBackend(WebApplication application, X509Certificate2[] certificates)
    {
        (_application, Certificates) = (application, certificates);
        Url = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single()
            .Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
    }

    public Uri Url { get; }

    public X509Certificate2[] Certificates { get; }

    public ConcurrentQueue<SeenRequest> Seen { get; } = new();

    public static Task<FakeBackend> StartAsync(RequestDelegate? answer = null) => StartAsync(answer, []);

    /// <summary>Starts a server with TLS. Each new connection gets the next of the certificates.</summary>
    public static Task<FakeBackend> StartTlsAsync(
        RequestDelegate? answer = null, int certificates = 1, HttpProtocols protocols = HttpProtocols.Http1AndHttp2) => StartAsync(
        answer, [.. Enumerable.Range(0, certificates).Select(_ => SelfSigned())], protocols);

    /// <summary>Starts a server with TLS and one certificate, which it owns.</summary>
    public static Task<FakeBackend> StartTlsAsync(X509Certificate2 certificate) => StartAsync(answer: null, [certificate]);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        foreach (var certificate in Certificates)
            certificate.Dispose();
    }

    private static async Task<FakeBackend> StartAsync(
        RequestDelegate? answer, X509Certificate2[] certificates, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var connections = -1;
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestHeadersTotalSize = 256 * 1024;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                if (certificates.Length > 0)
                    listen.UseHttps(https => https.ServerCertificateSelector = (connection, _) =>
                    {
                        var certificate = certificates[Interlocked.Increment(ref connections) % certificates.Length];
                        connection!.Items[SeenRequest.CertificateKey] = certificate;
                        return certificate;
                    });
            });
        });
        var application = builder.Build();
        FakeBackend? backend = null;
        application.UseWebSockets();
        application.Run(async context =>
        {
            backend!.Seen.Enqueue(await SeenRequest.ReadAsync(context.Request));
            context.Response.ContentType = "text/plain";
            if (answer is not null)
                await answer(context);
            else
                await context.Response.WriteAsync("hello");
        });
        await application.StartAsync();
        return backend = new FakeBackend(application, certificates);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA384);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}

internal sealed record SeenRequest(
    string Connection, string Protocol, string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public static readonly object CertificateKey = new();

    /// <summary>Gets the certificate that the request's connection presented; null without TLS.</summary>
    public X509Certificate2? Certificate { get; private init; }

    public string? Authorization => Headers.GetValueOrDefault("Authorization");

    public OpenedAuthorization Ticket => OpenedAuthorization.Open(Authorization.ShouldNotBeNull());

    public static async Task<SeenRequest> ReadAsync(HttpRequest request)
    {
        using var reader = new StreamReader(request.Body);
        return new SeenRequest(
            request.HttpContext.Connection.Id,
            request.Protocol,
            request.Method,
            request.Path,
            request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await reader.ReadToEndAsync())
        {
            Certificate = request.HttpContext.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(CertificateKey, out var presented)
                == true
                    ? (X509Certificate2?)presented
                    : null,
        };
    }
}
