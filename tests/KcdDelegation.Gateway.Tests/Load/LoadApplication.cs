using System.Globalization;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>The applications of the load. Each part of an answer has the name of the user that the application
/// knows.</summary>
internal static class LoadApplication
{
    public const int LargeBytes = 20_000_000;
    public const int Events = 5;

    /// <summary>Creates the application.</summary>
    /// <param name="findUser">Returns the user of a request.</param>
    public static RequestDelegate Create(Func<HttpContext, string> findUser)
    {
        var sockets = new WebSocketMiddleware(
            context => AnswerAsync(context, findUser(context)), Options.Create(new WebSocketOptions()), NullLoggerFactory.Instance);
        return sockets.Invoke;
    }

    /// <summary>Returns the line that large answers repeat.</summary>
    public static byte[] CreateLine(string user) => Encoding.ASCII.GetBytes(user.PadRight(999, '.') + "\n");

    private static Task AnswerAsync(HttpContext context, string user) => context.Request.Path.Value switch
    {
        "/large" => SendLargeAsync(context, user),
        "/upload" => ReceiveAsync(context, user),
        "/events" => SendEventsAsync(context, user),
        "/socket" => EchoAsync(context, user),
        "/slow" => AnswerLateAsync(context, user),
        _ => context.Response.WriteAsync($"{user} {context.Request.Query["id"]}", context.RequestAborted),
    };

    private static async Task AnswerLateAsync(HttpContext context, string user)
    {
        await Task.Delay(500, context.RequestAborted);
        await context.Response.WriteAsync(user, context.RequestAborted);
    }

    private static async Task SendLargeAsync(HttpContext context, string user)
    {
        var line = CreateLine(user);
        for (var sent = 0; sent < LargeBytes; sent += line.Length)
            await context.Response.Body.WriteAsync(line, context.RequestAborted);
    }

    private static async Task ReceiveAsync(HttpContext context, string user)
    {
        var (buffer, total) = (new byte[65_536], 0L);
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
            total += count;
        await context.Response.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"{user} {total}"), context.RequestAborted);
    }

    private static async Task SendEventsAsync(HttpContext context, string user)
    {
        context.Response.ContentType = "text/event-stream";
        for (var i = 0; i < Events; i++)
        {
            await context.Response.WriteAsync($"data: {user}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(300, context.RequestAborted);
        }
    }

    private static async Task EchoAsync(HttpContext context, string user)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[1024];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } message)
        {
            var text = $"{user} {Encoding.ASCII.GetString(buffer, 0, message.Count)}";
            await socket.SendAsync(
                Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, context.RequestAborted);
    }
}
