using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A backend with https that authenticates the first ticket of each connection and serves all later requests of the connection as
/// that user, whatever their header fields (RFC 4559 §6). It can be restarted at the same address.</summary>
internal sealed class ConnectionBoundBackend : IAsyncDisposable
{
    private readonly TestAcceptor _acceptor;
    private X509Certificate2 _certificate;
    private WebApplication? _application;

    private ConnectionBoundBackend(TestRealm realm, string service) =>
        (_acceptor, _certificate) = (new TestAcceptor(realm, service), KerberosBackend.CreateCertificate());

    public static async Task<ConnectionBoundBackend> StartAsync(TestRealm realm, string service)
    {
        var backend = new ConnectionBoundBackend(realm, service);
        await backend.StartAsync();
        return backend;
    }

    public Uri Url => new($"https://localhost:{Port}/");

    /// <summary>Gets the requests that arrived on the connection of another user, or on a connection with and without tickets.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>Gets the number of connections on which a user was authenticated.</summary>
    public int Connections => _connections;

    private int _connections;

    private int Port { get; set; }

    /// <summary>Ends all connections, and starts the server again at the same address.</summary>
    public async Task RestartAsync(bool withNewCertificate)
    {
        await StopAsync();
        if (withNewCertificate)
        {
            _certificate.Dispose();
            _certificate = KerberosBackend.CreateCertificate();
        }
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _certificate.Dispose();
    }

    private async Task StartAsync()
    {
        // Below the ports that systems choose for outgoing connections: none of those takes the port while the server is stopped.
        for (var attempt = 0; ; attempt++)
        {
            var port = Port == 0 ? RandomNumberGenerator.GetInt32(20_000, 30_000) : Port;
            _application = Create(port);
            try
            {
                await _application.StartAsync(TestContext.Current.CancellationToken);
                Port = port;
                return;
            }
            catch (IOException) when (attempt < 20)
            {
                await _application.DisposeAsync();
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    private async Task StopAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application!.StopAsync(now.Token);
        await _application.DisposeAsync();
    }

    private WebApplication Create(int port)
    {
        var certificate = _certificate;
        // RFC 5929 §4.1: the hash of the certificate's own signature, here SHA-256.
        byte[] binding = [.. "tls-server-end-point:"u8, .. SHA256.HashData(certificate.RawData)];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1;
            endpoint.UseHttps(certificate);
        }));
        var application = builder.Build();
        application.Run(context => AnswerAsync(context, binding));
        return application;
    }

    private async Task AnswerAsync(HttpContext context, byte[] binding)
    {
        var connection = context.Features.Get<IConnectionItemsFeature>()!.Items;
        var authorization = context.Request.Headers.Authorization.ToString();
        connection.TryGetValue("user", out var bound);
        if (bound is null && authorization.Length > 0)
        {
            bound = _acceptor.Accept(authorization, binding).User.ToString().Split('@')[0];
            connection["user"] = bound;
            Interlocked.Increment(ref _connections);
        }
        var sender = context.Request.Headers["X-User"].ToString();
        if (bound is not null && (string)bound != sender)
            Violations.Enqueue($"{sender}'s request on the connection of {bound}");
        if ((bound is not null && authorization.Length == 0) || (authorization.Length > 0 && connection.ContainsKey("without ticket")))
            Violations.Enqueue($"requests with and without tickets on one connection of {bound}");
        if (bound is null)
        {
            connection["without ticket"] = true;
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Negotiate";
            return;
        }
        var length = 0;
        var buffer = new byte[16 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
            length += read;
        await context.Response.WriteAsync($"{bound}{context.Request.QueryString}", context.RequestAborted);
        if (context.Request.Path == "/slow")
        {
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(4, context.RequestAborted);
        }
        await context.Response.WriteAsync($" {length}", context.RequestAborted);
    }
}
