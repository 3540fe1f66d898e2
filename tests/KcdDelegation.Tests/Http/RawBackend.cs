using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KcdDelegation.Tests.Headers;

namespace KcdDelegation.Tests.Http;

/// <summary>A server on loopback that writes the bytes that a test specifies. Of a request it reads the head only.</summary>
internal sealed class RawBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<RawRequest, Task> _answer;
    private readonly Task _accepting;

    public RawBackend(Func<RawRequest, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        Url = new Uri($"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    public Uri Url { get; }

    public ConcurrentQueue<RawRequest> Seen { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        for (var connection = 0; ; connection++)
            _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token), connection);
    }

    private async Task ServeAsync(TcpClient client, int connection)
    {
        using (client)
        {
            client.NoDelay = true;
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            while (await reader.ReadLineAsync(_end.Token) is { } line)
            {
                var authorization = "";
                while (await reader.ReadLineAsync(_end.Token) is { Length: > 0 } header)
                {
                    if (header.StartsWith("Authorization: ", StringComparison.Ordinal))
                        authorization = header["Authorization: ".Length..];
                }
                var request = new RawRequest(
                    connection, line.Split(' ')[0], line.Split(' ')[1], OpenedAuthorization.Open(authorization).User, stream, _end.Token);
                Seen.Enqueue(request);
                await _answer(request);
            }
        }
    }
}

internal sealed record RawRequest(
    int Connection, string Method, string Path, string User, NetworkStream Stream, CancellationToken CancellationToken)
{
    public ValueTask WriteAsync(string text) => Stream.WriteAsync(Encoding.Latin1.GetBytes(text), CancellationToken);

    /// <summary>Answers 200 with the name of the user.</summary>
    public ValueTask WriteUserAsync() => WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: {User.Length}\r\n\r\n{User}");
}
