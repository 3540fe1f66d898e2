using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>A user of the three applications. Browsers' sessions are used for <c>erp</c> and <c>wiki</c>, a bearer token for
/// <c>api</c>.</summary>
internal sealed class LoadUser(string name, string erpCookies, string wikiCookies, string token, LoadRecord record)
{
    private static readonly SemaphoreSlim s_large = new(4);

    private string Delegated => $"{name}@CONTOSO.TEST";

    /// <summary>Sends requests until the load ends. The last ones are completed.</summary>
    public async Task RunAsync(HttpClient client, CancellationToken end)
    {
        var version = name[^1] % 2 == 0 ? HttpVersion.Version20 : HttpVersion.Version11;
        while (!end.IsCancellationRequested)
        {
            switch (RandomNumberGenerator.GetInt32(200))
            {
                case < 2: await MeasureAsync("large answer", "erp", large => ReceiveLargeAsync(client, large, version)); break;
                case < 4: await MeasureAsync("large request", "api", large => SendLargeAsync(client, large, version)); break;
                case < 12: await MeasureAsync("events", "erp", part => ReceiveEventsAsync(client, part, version)); break;
                case < 20: await MeasureAsync("WebSocket", "erp", _ => EchoAsync(client)); break;
                case < 32: await AbortAsync(client, version); break;
                case < 90: await MeasureAsync("wiki", "wiki", part => GetAsync(client, part, version)); break;
                case < 130: await MeasureAsync("api", "api", part => GetAsync(client, part, version)); break;
                default: await MeasureAsync("erp", "erp", part => GetAsync(client, part, version)); break;
            }
            await Task.Delay(RandomNumberGenerator.GetInt32(200, 800), CancellationToken.None);
        }
    }

    private async Task MeasureAsync(string kind, string application, Func<string, Task> action)
    {
        var start = record.Now;
        try
        {
            await action(application);
            record.Completed.AddOrUpdate(kind, 1, static (_, count) => count + 1);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or WebSocketException or OperationCanceledException)
        {
            record.AddFailure(
                kind, application != "wiki", start, $"{error.GetType().Name}: {error.Message} {error.InnerException?.Message}");
        }
    }

    private async Task GetAsync(HttpClient client, string application, Version version)
    {
        var id = RandomNumberGenerator.GetHexString(16);
        using var response = await SendAsync(client, CreateRequest(application, $"/page?id={id}", version));
        Compare(await response.Content.ReadAsStringAsync(), $"{GetName(application)} {id}");
    }

    private async Task ReceiveLargeAsync(HttpClient client, string application, Version version)
    {
        await s_large.WaitAsync();
        try
        {
            using var response = await SendAsync(client, CreateRequest(application, "/large", version));
            var line = LoadApplication.CreateLine(GetName(application));
            await using var body = await response.Content.ReadAsStreamAsync();
            var (buffer, total) = (new byte[line.Length], 0);
            while (await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false) is > 0 and var count)
            {
                total += count;
                if (count == line.Length && !buffer.AsSpan().SequenceEqual(line))
                    Compare(Encoding.Latin1.GetString(buffer), Encoding.Latin1.GetString(line));
            }
            if (total != LoadApplication.LargeBytes)
                throw new IOException($"The answer has {total} bytes instead of {LoadApplication.LargeBytes}.");
        }
        finally
        {
            s_large.Release();
        }
    }

    private async Task SendLargeAsync(HttpClient client, string application, Version version)
    {
        await s_large.WaitAsync();
        try
        {
            var request = CreateRequest(application, "/upload", version);
            (request.Method, request.Content) = (HttpMethod.Post, new ByteArrayContent(new byte[LoadApplication.LargeBytes]));
            using var response = await SendAsync(client, request);
            Compare(await response.Content.ReadAsStringAsync(), $"{GetName(application)} {LoadApplication.LargeBytes}");
        }
        finally
        {
            s_large.Release();
        }
    }

    private async Task ReceiveEventsAsync(HttpClient client, string application, Version version)
    {
        using var response = await SendAsync(client, CreateRequest(application, "/events", version));
        Compare(
            await response.Content.ReadAsStringAsync(),
            string.Concat(Enumerable.Repeat($"data: {GetName(application)}\n\n", LoadApplication.Events)));
    }

    private async Task EchoAsync(HttpClient client)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Cookie", erpCookies);
        socket.Options.SetRequestHeader("Origin", "https://erp.contoso.test");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await socket.ConnectAsync(new Uri("wss://erp.contoso.test/socket"), client, limit.Token);
        var buffer = new byte[1024];
        for (var i = 0; i < 3; i++)
        {
            var id = RandomNumberGenerator.GetHexString(16);
            await socket.SendAsync(Encoding.ASCII.GetBytes(id), WebSocketMessageType.Text, endOfMessage: true, limit.Token);
            var message = await socket.ReceiveAsync(buffer, limit.Token);
            if (message.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException("The connection was closed.");
            Compare(Encoding.ASCII.GetString(buffer, 0, message.Count), $"{Delegated} {id}");
            await Task.Delay(300, CancellationToken.None);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, statusDescription: null, limit.Token);
    }

    /// <summary>Sends a request and does not wait for its answer.</summary>
    private async Task AbortAsync(HttpClient client, Version version)
    {
        using var soon = new CancellationTokenSource(RandomNumberGenerator.GetInt32(5, 400));
        try
        {
            using var response = await client.SendAsync(CreateRequest("erp", "/slow", version), soon.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or HttpRequestException)
        {
            record.Completed.AddOrUpdate("aborted", 1, static (_, count) => count + 1);
        }
    }

    private HttpRequestMessage CreateRequest(string application, string target, Version version)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"https://{application}.contoso.test{target}")
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (application == "api")
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        else
            request.Headers.Add("Cookie", application == "erp" ? erpCookies : $"{wikiCookies}; user={name}");
        return request;
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpRequestMessage request)
    {
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if (response.StatusCode == HttpStatusCode.OK)
            return response;
        var text = await response.Content.ReadAsStringAsync();
        response.Dispose();
        throw new HttpRequestException($"{request.RequestUri} was answered with {response.StatusCode}: {Shorten(text)}");
    }

    private string GetName(string application) => application == "wiki" ? name : Delegated;

    private void Compare(string received, string expected)
    {
        if (received != expected)
            record.Mixed.Enqueue($"'{Shorten(received)}' instead of '{Shorten(expected)}'");
    }

    private static string Shorten(string text) => text[..Math.Min(text.Length, 200)];
}
