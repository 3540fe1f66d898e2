using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Benchmarks.Gateway;

/// <summary>The backend: a Kestrel that answers every request with 1 KB, whatever its <c>Authorization</c> is, and counts its
/// connections.</summary>
internal static class BackendServer
{
    /// <summary>The name of the page that runs the server.</summary>
    public const string Page = "gateway-backend";

    /// <summary>The path whose answer is the <c>Authorization</c> header of the request.</summary>
    public const string EchoPath = "/authorization";

    /// <summary>The length of an answer.</summary>
    public const int AnswerLength = 1024;

    private const string Count = "connections";
    private const string Requests = "requests";

    private static readonly byte[] s_answer = new byte[AnswerLength];
    private static long s_connections;
    private static long s_requests;

    /// <summary>Runs the server until its input ends. Its first line is its address.</summary>
    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = 64 << 10;
            kestrel.Limits.KeepAliveTimeout = UserHandlers.IdleTimeout;
            kestrel.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.Use(next => connection =>
                {
                    Interlocked.Increment(ref s_connections);
                    return next(connection);
                });
            });
        });
        await using var server = builder.Build();
        server.Run(AnswerAsync);
        await server.StartAsync();
        await ChildProcess.AnswerAsync(server.Urls.First(), command => Task.FromResult(command[0] switch
        {
            ProcessUsage.Command => ProcessUsage.Read(),
            Requests => Interlocked.Read(ref s_requests).ToString(CultureInfo.InvariantCulture),
            _ => Interlocked.Read(ref s_connections).ToString(CultureInfo.InvariantCulture),
        }));
    }

    /// <summary>Returns the number of connections that the server has accepted since its start.</summary>
    public static long CountConnections(ChildProcess server) => long.Parse(server.Ask(Count), CultureInfo.InvariantCulture);

    /// <summary>Returns the number of requests that the server has answered since its start.</summary>
    public static long CountRequests(ChildProcess server) => long.Parse(server.Ask(Requests), CultureInfo.InvariantCulture);

    private static Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref s_requests);
        if (context.Request.Path == EchoPath)
            return context.Response.WriteAsync(context.Request.Headers.Authorization.ToString());
        context.Response.ContentType = "text/plain";
        context.Response.ContentLength = s_answer.Length;
        return context.Response.Body.WriteAsync(s_answer, 0, s_answer.Length);
    }
}
