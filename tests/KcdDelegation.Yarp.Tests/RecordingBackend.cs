using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Yarp.Tests;

/// <summary>A backend with https and HTTP/1.1 that ignores <c>Authorization</c> and records everything else.</summary>
internal sealed class RecordingBackend : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly X509Certificate2 _certificate = KerberosBackend.CreateCertificate();
    private readonly ConcurrentQueue<string> _received = new();
    private readonly SemaphoreSlim _completed = new(0);

    private RecordingBackend()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http1;
            endpoint.UseHttps(_certificate);
        }));
        _application = builder.Build();
        _application.UseWebSockets();
        _application.Run(RecordAsync);
    }

    public static async Task<RecordingBackend> StartAsync()
    {
        var backend = new RecordingBackend();
        await backend._application.StartAsync(TestContext.Current.CancellationToken);
        return backend;
    }

    public Uri Url => new UriBuilder(_application.Urls.First()) { Host = "localhost" }.Uri;

    /// <summary>Gets the semaphore for which a stream waits before each event but the first.</summary>
    public SemaphoreSlim NextEvent { get; } = new(0);

    /// <summary>Gets the semaphore that is released when a request to <c>/wait</c> has arrived.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    /// <summary>Returns and forgets what was received, after the end of one request.</summary>
    public async Task<string> TakeAsync()
    {
        await _completed.WaitAsync(TestContext.Current.CancellationToken);
        var text = string.Join('\n', _received);
        _received.Clear();
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        _certificate.Dispose();
        NextEvent.Dispose();
        Arrived.Dispose();
        _completed.Dispose();
    }

    private async Task RecordAsync(HttpContext context)
    {
        var request = context.Request;
        _received.Enqueue($"{request.Method} {request.Path}{request.QueryString} {request.Protocol}");
        foreach (var (name, value) in request.Headers.OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase))
        {
            // The value of these two differs between any two requests.
            if (!string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase))
                _received.Enqueue(name is "Sec-WebSocket-Key" or "traceparent" ? $"{name}: *" : $"{name}: {value}");
        }
        try
        {
            await AnswerAsync(context);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or WebSocketException)
        {
            _received.Enqueue("aborted");
        }
        finally
        {
            _completed.Release();
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        switch (context.Request.Path.Value)
        {
            case "/early":
                context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
                await context.Response.WriteAsync("too large", context.RequestAborted);
                return;
            case "/wait":
                Arrived.Release();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
                return;
            case "/events":
                context.Response.ContentType = "text/event-stream";
                for (var i = 1; i <= 3; i++)
                {
                    if (i > 1)
                        await NextEvent.WaitAsync(context.RequestAborted);
                    await context.Response.WriteAsync($"data: {i}\n\n", context.RequestAborted);
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                }
                return;
            case "/socket":
                await EchoAsync(context);
                return;
            case "/trailers":
                // Kestrel writes no trailers with HTTP/1.1. With this field it leaves the chunks to the application.
                context.Response.Headers.TransferEncoding = "chunked";
                context.Response.Headers.Trailer = "X-Checksum";
                await context.Response.WriteAsync("4\r\nbody\r\n0\r\nX-Checksum: 42\r\n\r\n", context.RequestAborted);
                return;
            default:
                var length = 0L;
                using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
                {
                    var buffer = new byte[16384];
                    int read;
                    while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
                    {
                        hash.AppendData(buffer.AsSpan(0, read));
                        length += read;
                    }
                    _received.Enqueue($"{length} bytes, {Convert.ToHexString(hash.GetHashAndReset())}");
                }
                context.Response.Headers["X-Backend"] = new[] { "one", "two" };
                context.Response.Headers.SetCookie = "a=1; path=/";
                await context.Response.WriteAsync("done", context.RequestAborted);
                return;
        }
    }

    private async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
        {
            _received.Enqueue($"{received.Count} bytes");
            await socket.SendAsync(
                buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", context.RequestAborted);
    }
}
