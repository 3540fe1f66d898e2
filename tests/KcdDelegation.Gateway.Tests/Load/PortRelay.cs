using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Gateway.Tests.Load;

/// <summary>The port of a server that can be restarted: while it is stopped, its connections are cut and new ones are refused.</summary>
internal sealed class PortRelay : IAsyncDisposable
{
    private readonly int _target;
    private readonly ConcurrentDictionary<TcpClient, bool> _clients = new();
    private CancellationTokenSource _stop = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;

    public PortRelay(int target)
    {
        _target = target;
        Start();
    }

    public int Port { get; private set; }

    public void Start()
    {
        _stop = new CancellationTokenSource();
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start(512);
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync(_listener, _stop.Token);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        _listener!.Stop();
        await _accepting;
        // As the system does for a process that is killed with data that it has not read.
        foreach (var client in _clients.Keys)
            client.Client?.Close(0);
        _stop.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task AcceptAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
                _ = RelayAsync(await listener.AcceptTcpClientAsync(cancellationToken));
        }
        // The listener may be stopped between two connections, which is an InvalidOperationException.
        catch (Exception error) when (error is OperationCanceledException or SocketException or InvalidOperationException)
        {
            // The server is stopped.
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        using var server = new TcpClient { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            (_clients[client], _clients[server]) = (true, true);
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target);
                await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
            }
            catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // One of both has closed its connection, which closes the other.
            }
            _clients.TryRemove(client, out _);
            _clients.TryRemove(server, out _);
        }
    }

    private static async Task CopyAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream());
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception error) when (error is IOException or SocketException or ObjectDisposedException)
        {
            from.Close();
            to.Close();
        }
    }
}
