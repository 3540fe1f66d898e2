using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Tests.Transport;

/// <summary>A loopback port whose queue of new connections is full, so that the system drops further SYNs, as for an unreachable
/// host.</summary>
internal sealed class FullListener : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _waiting = [];

    private FullListener()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
    }

    public KdcEndpoint Endpoint => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndPoint!).Port);

    public static async Task<FullListener> CreateAsync()
    {
        var full = new FullListener();
        while (await full.TryFillAsync())
        {
            // Another connection fits into the queue.
        }
        return full;
    }

    /// <summary>Accepts connections from now on, and answers the requests on them.</summary>
    public async Task ServeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = await _listener.AcceptAsync(cancellationToken);
            _ = FakeKdc.AnswerAsync(socket, cancellationToken);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _waiting.ForEach(socket => socket.Dispose());
    }

    private async Task<bool> TryFillAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _waiting.Add(socket);
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        try
        {
            await socket.ConnectAsync(_listener.LocalEndPoint!, timeout.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
