using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KcdDelegation.DirectoryServices.Tests.Doctor;

/// <summary>A server on loopback that answers each request with any bytes.</summary>
internal sealed class RawBackend : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Func<string, IEnumerable<string>> _answer;
    private readonly Task _accepting;

    /// <param name="answer">Gets the head of a request, and returns the pieces of the response. The connection is closed after
    /// them.</param>
    public RawBackend(Func<string, IEnumerable<string>> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Creates a server that answers a request with a ticket differently from one without.</summary>
    public static RawBackend Start(string withoutTicket, string? withTicket = null) => new(head =>
        [withTicket is not null && head.Contains("\r\nAuthorization:", StringComparison.OrdinalIgnoreCase) ? withTicket : withoutTicket]);

    public static string Response(string status, params string[] fields) =>
        $"HTTP/1.1 {status}\r\n{string.Concat(fields.Select(field => field + "\r\n"))}Content-Length: 0\r\n\r\n";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        try
        {
            var stream = client.GetStream();
            var head = await ReadHeadAsync(stream);
            if (head.Length == 0)
                return;
            _requests.Enqueue(head);
            foreach (var piece in _answer(head))
                await stream.WriteAsync(Encoding.Latin1.GetBytes(piece), _stop.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            // The client reads the whole response before the connection is reset.
            while (await stream.ReadAsync(new byte[1024], _stop.Token) > 0)
            {
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or SocketException)
        {
            // The client closes the connection when it has seen enough.
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var buffer = new byte[4096];
        while (!head.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var length = await stream.ReadAsync(buffer, _stop.Token);
            if (length == 0)
                return "";
            head.Append(Encoding.Latin1.GetString(buffer, 0, length));
        }
        return head.ToString();
    }
}
