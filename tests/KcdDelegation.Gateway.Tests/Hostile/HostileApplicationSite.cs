using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace KcdDelegation.Gateway.Tests.Hostile;

/// <summary>A gateway whose two applications are one server that answers with any bytes: <c>erp</c> with delegation, and <c>wiki</c>
/// without, whose connections users share.</summary>
public sealed class HostileApplicationSite : IAsyncLifetime
{
    private readonly ConcurrentDictionary<string, Func<Stream, CancellationToken, Task<bool>>> _answers = new(StringComparer.Ordinal);
    private RawBackend _backend = null!;
    private int _count;

    /// <summary>Gets the applications.</summary>
    public static string[] ApplicationNames => ["erp", "wiki"];

    internal TestGateway Gateway { get; private set; } = null!;

    internal IEnumerable<RawRequest> Received => _backend.Received;

    public async ValueTask InitializeAsync()
    {
        _backend = RawBackend.Start((request, stream, cancellationToken) =>
        {
            var path = request.Line.Split(' ')[1];
            return _answers.TryGetValue(path, out var answer)
                ? answer(stream, cancellationToken) : AnswerAsync(path, stream, cancellationToken);
        });
        Gateway = await TestGateway.StartAsync(settings =>
        {
            settings["Kcd"]!["Applications"]!["erp"]!["InternalUrl"] = _backend.Url;
            settings["Applications"]!["wiki"]!["InternalUrls"] = new JsonArray(_backend.Url);
            foreach (var application in ApplicationNames)
                settings["Applications"]![application]!["ActivityTimeout"] = "00:00:04";
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await _backend.DisposeAsync();
    }

    /// <summary>Adds a path that the applications answer with some bytes.</summary>
    /// <param name="answer">The bytes.</param>
    /// <param name="staysOpen">Whether the applications leave the connection open afterwards.</param>
    internal string Add(string answer, bool staysOpen) => Add(async (stream, cancellationToken) =>
    {
        await RawBackend.WriteAsync(stream, answer, cancellationToken);
        return staysOpen;
    });

    /// <summary>Adds a path with an answer that returns whether the connection stays open.</summary>
    internal string Add(Func<Stream, CancellationToken, Task<bool>> answer)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/hostile/{Interlocked.Increment(ref _count)}");
        _answers[path] = answer;
        return path;
    }

    /// <summary>Adds a path with an answer that has no end.</summary>
    /// <returns>The path, and a task that ends with the connection of a request for it.</returns>
    internal (string Path, Task Ended) AddEndless()
    {
        var ended = new TaskCompletionSource();
        var path = Add(async (stream, cancellationToken) =>
        {
            try
            {
                await RawBackend.WriteAsync(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", cancellationToken);
                var chunk = $"10000\r\n{new string('a', 0x10000)}\r\n";
                while (true)
                    await RawBackend.WriteAsync(stream, chunk, cancellationToken);
            }
            finally
            {
                ended.TrySetResult();
            }
        });
        return (path, ended.Task);
    }

    /// <summary>Sends a request of a user.</summary>
    internal async Task<StrictAnswer> AskAsync(
        string application, string user, string path, string method = "GET", string headers = "", int seconds = 15)
    {
        await using var stream = await Gateway.ConnectAsync($"{application}.contoso.test");
        await stream.WriteAsync(
            Encoding.Latin1.GetBytes(
                $"{method} {path} HTTP/1.1\r\nHost: {application}.contoso.test\r\n{Wire.Authorization(Gateway, user)}{headers}\r\n"),
            TestContext.Current.CancellationToken);
        return await StrictAnswer.ReadAsync(stream, isHead: method == "HEAD", seconds);
    }

    /// <summary>Asserts that users get the answers to their own requests.</summary>
    internal async Task ShouldServeAsync(string application)
    {
        foreach (var user in (string[])["bob", "ada", "bob"])
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/of-{user}/{Interlocked.Increment(ref _count)}");
            var answer = await AskAsync(application, user, path);
            (answer.Status, answer.Body, answer.End).ShouldBe((200, $"answer to {path}", AnswerEnd.Whole));
        }
    }

    private static async Task<bool> AnswerAsync(string path, Stream stream, CancellationToken cancellationToken)
    {
        await RawBackend.WriteAsync(stream, RawBackend.Answer($"answer to {path}"), cancellationToken);
        return true;
    }
}
