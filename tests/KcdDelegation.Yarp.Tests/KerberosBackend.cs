using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A backend with https that authenticates each request by its ticket, except <c>/health</c>, which allows no
/// credentials.</summary>
internal sealed class KerberosBackend : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly TestAcceptor _acceptor;
    private readonly X509Certificate2 _certificate;
    private readonly byte[] _binding;
    private int _openConnections;

    private KerberosBackend(TestRealm realm, string service, HttpProtocols protocols)
    {
        _acceptor = new TestAcceptor(realm, service);
        _certificate = CreateCertificate();
        // RFC 5929 §4.1: the hash of the certificate's own signature, here SHA-256.
        _binding = [.. "tls-server-end-point:"u8, .. SHA256.HashData(_certificate.RawData)];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            endpoint.Protocols = protocols;
            endpoint.Use(next => async connection =>
            {
                Interlocked.Increment(ref _openConnections);
                try
                {
                    await next(connection);
                }
                finally
                {
                    Interlocked.Decrement(ref _openConnections);
                }
            });
            endpoint.UseHttps(_certificate);
        }));
        _application = builder.Build();
        _application.UseWebSockets();
        _application.Run(AnswerAsync);
    }

    public static async Task<KerberosBackend> StartAsync(
        TestRealm realm, string service, HttpProtocols protocols = HttpProtocols.Http1AndHttp2)
    {
        var backend = new KerberosBackend(realm, service, protocols);
        await backend._application.StartAsync(TestContext.Current.CancellationToken);
        return backend;
    }

    public Uri Url => new UriBuilder(_application.Urls.First()) { Host = "localhost" }.Uri;

    /// <summary>Gets the number of connections that are open now.</summary>
    public int OpenConnections => Volatile.Read(ref _openConnections);

    /// <summary>Waits until so many connections are open.</summary>
    public async Task WaitForConnectionsAsync(int expected)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (OpenConnections != expected && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        OpenConnections.ShouldBe(expected);
    }

    public ConcurrentQueue<ReceivedRequest> Received { get; } = new();

    /// <summary>Gets the semaphore for which a stream waits before each event but the first.</summary>
    public SemaphoreSlim NextEvent { get; } = new(0);

    public bool HasCertificate(X509Certificate? certificate) =>
        certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(_certificate.RawData);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        _certificate.Dispose();
        NextEvent.Dispose();
    }

    public static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private async Task AnswerAsync(HttpContext context)
    {
        string? user = null;
        if (context.Request.Headers.Authorization.ToString() is { Length: > 0 } authorization)
        {
            try
            {
                user = _acceptor.Accept(authorization, _binding).User.ToString().Split('@')[0];
            }
            catch (KerberosException error)
            {
                user = $"refused: {error.Message}";
            }
        }
        Received.Enqueue(new ReceivedRequest(
            context.Request.Method, context.Request.Path, context.Request.Protocol, user, context.Connection.Id,
            context.Request.Headers.ToDictionary(
                header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        if (context.Request.Path == "/health")
        {
            context.Response.StatusCode = user is null ? StatusCodes.Status200OK : StatusCodes.Status500InternalServerError;
            return;
        }
        if (user is null || user.StartsWith("refused", StringComparison.Ordinal) || context.Request.Path == "/refuse")
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Negotiate";
            await context.Response.WriteAsync("the backend's sign-in page", context.RequestAborted);
            return;
        }
        foreach (var cookie in context.Request.Headers["X-Set-Cookie"])
            context.Response.Headers.Append("Set-Cookie", cookie);
        if (context.Request.Headers.ContainsKey("X-Set-Cookie"))
            context.Response.Headers.Append("Set-Cookie", "kept=1; path=/");
        await (context.Request.Path.Value switch
        {
            "/socket" => EchoAsync(context, user),
            "/events" => SendEventsAsync(context, user),
            "/demo.Greeter/Count" => CountAsync(context, user),
            _ => context.Response.WriteAsync(user, context.RequestAborted),
        });
    }

    private static async Task EchoAsync(HttpContext context, string user)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        await socket.SendAsync(
            System.Text.Encoding.UTF8.GetBytes(user), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
            await socket.SendAsync(
                buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
    }

    private async Task SendEventsAsync(HttpContext context, string user)
    {
        context.Response.ContentType = "text/event-stream";
        for (var i = 1; i <= 3; i++)
        {
            if (i > 1)
                await NextEvent.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync($"data: {user} {i}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>Answers as a gRPC-Web service that streams three messages, each with one byte more, and then the trailers.</summary>
    private async Task CountAsync(HttpContext context, string user)
    {
        var request = new MemoryStream();
        await context.Request.Body.CopyToAsync(request, context.RequestAborted);
        context.Response.ContentType = "application/grpc-web+proto";
        for (var i = 1; i <= 3; i++)
        {
            if (i > 1)
                await NextEvent.WaitAsync(context.RequestAborted);
            await context.Response.Body.WriteAsync(
                CreateFrame(0, [.. request.ToArray().AsSpan(5), .. System.Text.Encoding.UTF8.GetBytes(user), (byte)i]),
                context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
        await context.Response.Body.WriteAsync(CreateFrame(0x80, "grpc-status: 0\r\n"u8), context.RequestAborted);
    }

    /// <summary>Creates a frame of gRPC-Web: a flag, a length of four bytes, and the message or the trailers.</summary>
    public static byte[] CreateFrame(byte flag, ReadOnlySpan<byte> message)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = flag;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }
}

/// <summary>A request that arrived at a backend.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path.</param>
/// <param name="Protocol">The version.</param>
/// <param name="User">The authenticated user; null without a ticket.</param>
/// <param name="Connection">The connection's identifier.</param>
/// <param name="Headers">The header fields.</param>
internal sealed record ReceivedRequest(
    string Method, string Path, string Protocol, string? User, string Connection, IReadOnlyDictionary<string, string> Headers);
