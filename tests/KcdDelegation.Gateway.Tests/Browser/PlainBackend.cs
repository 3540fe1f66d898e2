using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Tests.Browser;

/// <summary>An application without sign-in: <c>/headers</c> shows the request's header fields, <c>/ws</c> is a WebSocket that sends a
/// message every 100 milliseconds.</summary>
internal sealed class PlainBackend : IAsyncDisposable
{
    private readonly WebApplication _application;

    private PlainBackend(WebApplication application) => _application = application;

    public string Url => _application.Urls.First() + "/";

    public static async Task<PlainBackend> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.UseWebSockets();
        application.MapGet("/", () => Results.Content("<!doctype html><title>Wiki</title><h1>Wiki</h1>", "text/html"));
        application.MapGet("/headers", (HttpContext context) =>
            string.Concat(context.Request.Headers.Select(header => $"{header.Key}: {header.Value}\n")));
        application.Map("/ws", SendMessagesAsync);
        await application.StartAsync(TestContext.Current.CancellationToken);
        return new PlainBackend(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static async Task SendMessagesAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            while (socket.State == WebSocketState.Open)
            {
                await socket.SendAsync("tick"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
                await Task.Delay(100, context.RequestAborted);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or WebSocketException or IOException)
        {
            // The gateway ended the connection.
        }
    }
}
