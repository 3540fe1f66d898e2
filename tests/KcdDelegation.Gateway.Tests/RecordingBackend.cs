using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Gateway.Tests;

/// <summary>An application without authentication that records the requests it gets.</summary>
internal sealed class RecordingBackend : IAsyncDisposable
{
    private readonly WebApplication _application;

    private RecordingBackend(RequestDelegate? answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(static kestrel =>
        {
            kestrel.Limits.MaxRequestHeadersTotalSize = 1 << 20;
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _application = builder.Build();
        _application.Run(context =>
        {
            Received.Enqueue(new ReceivedRequest(
                context.Request.Method, context.Request.Path + context.Request.QueryString, context.Request.Headers.ToDictionary(
                    header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            return answer is null ? context.Response.WriteAsync("the wiki", context.RequestAborted) : answer(context);
        });
    }

    public static async Task<RecordingBackend> StartAsync(RequestDelegate? answer = null)
    {
        var backend = new RecordingBackend(answer);
        await backend._application.StartAsync(TestContext.Current.CancellationToken);
        return backend;
    }

    public Uri Url => new(_application.Urls.First());

    public ConcurrentQueue<ReceivedRequest> Received { get; } = new();

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}

internal sealed record ReceivedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers);
