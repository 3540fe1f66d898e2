using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>An application that reads requests byte by byte, as an old server does, and answers with any bytes.</summary>
internal sealed class RawBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly Func<RawRequest, Stream, CancellationToken, Task<bool>> _answer;
    private readonly string _greeting;
    private readonly Task _accepting;

    private RawBackend(Func<RawRequest, Stream, CancellationToken, Task<bool>> answer, string greeting)
    {
        (_answer, _greeting) = (answer, greeting);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Starts the application.</summary>
    /// <param name="answer">Returns the bytes of the answer; null: a text.</param>
    public static RawBackend Start(Func<RawRequest, string>? answer = null) => Start(async (request, stream, cancellationToken) =>
    {
        await WriteAsync(stream, answer is null ? Answer("the wiki") : answer(request), cancellationToken);
        return true;
    });

    /// <summary>Starts the application.</summary>
    /// <param name="answer">Writes the bytes of the answer, and returns whether the connection stays open.</param>
    /// <param name="greeting">The bytes that each connection begins with.</param>
    public static RawBackend Start(Func<RawRequest, Stream, CancellationToken, Task<bool>> answer, string greeting = "") =>
        new(answer, greeting);

    /// <summary>Writes bytes.</summary>
    public static Task WriteAsync(Stream stream, string text, CancellationToken cancellationToken) =>
        stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken).AsTask();

    /// <summary>Gets the requests that were complete.</summary>
    public ConcurrentQueue<RawRequest> Received { get; } = new();

    /// <summary>Gets the bytes of connections that are not a complete request.</summary>
    public ConcurrentQueue<string> Incomplete { get; } = new();

    public string Url => FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>Returns the bytes of an answer with a text.</summary>
    public static string Answer(string body, string headers = "") =>
        FormattableString.Invariant($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}");

    /// <summary>Starts a gateway whose application without delegation is this one.</summary>
    public Task<TestGateway> StartGatewayAsync() => TestGateway.StartAsync(settings =>
        settings["Applications"]!["wiki"]!["InternalUrls"] = new System.Text.Json.Nodes.JsonArray(Url));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_connections);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (var number = 0; ; number++)
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token), number));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
            // The test has ended.
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using var connection = client;
        // Bytes are sent when they are written, and not when the gateway has acknowledged earlier ones.
        client.NoDelay = true;
        var text = "";
        try
        {
            await WriteAsync(connection.GetStream(), _greeting, _stop.Token);
            var buffer = new byte[65_536];
            while (await connection.GetStream().ReadAsync(buffer, _stop.Token) is > 0 and var count)
            {
                text += Encoding.Latin1.GetString(buffer, 0, count);
                while (TakeRequest(ref text, number) is { } request)
                {
                    Received.Enqueue(request);
                    if (!await _answer(request, connection.GetStream(), _stop.Token))
                        return;
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The gateway has closed the connection, or the test has ended.
        }
        if (text.Length > 0)
            Incomplete.Enqueue(text);
    }

    /// <summary>Takes a request from the text. It has no tolerance: a chunked body ends with an empty chunk without a trailer.</summary>
    private static RawRequest? TakeRequest(ref string text, int connection)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0)
            return null;
        var (head, rest) = (text[..end], text[(end + 4)..]);
        var request = new RawRequest(head, "", connection);
        var length = 0;
        if (request.Find("Transfer-Encoding").Count > 0)
        {
            var last = rest.IndexOf("0\r\n\r\n", StringComparison.Ordinal);
            if (last < 0)
                return null;
            length = last + 5;
        }
        else if (request.Find("Content-Length") is [var size, ..])
        {
            length = int.Parse(size, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        if (rest.Length < length)
            return null;
        text = rest[length..];
        return request with { Body = rest[..length] };
    }
}

/// <summary>A request as its bytes are.</summary>
/// <param name="Head">The request line and the header fields.</param>
/// <param name="Body">The body, with its chunks.</param>
/// <param name="Connection">The number of the connection.</param>
internal sealed record RawRequest(string Head, string Body, int Connection)
{
    public string Line => Head.Split("\r\n")[0];

    /// <summary>Returns the values of a header field.</summary>
    public IReadOnlyList<string> Find(string name) => [.. Head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim())];

    /// <summary>Asserts that every reader finds the same end of the request (RFC 9112 §6.3).</summary>
    public void ShouldBeUnambiguous()
    {
        (Find("Content-Length").Count + Find("Transfer-Encoding").Count).ShouldBeLessThanOrEqualTo(1, Head);
        Find("Transfer-Encoding").ShouldAllBe(value => value == "chunked", Head);
        Head.Split("\r\n").Skip(1).ShouldAllBe(
            line => line.Length > 0 && line[0] != ' ' && line[0] != '\t' && line.All(character => character >= ' ' || character == '\t'));
    }
}
