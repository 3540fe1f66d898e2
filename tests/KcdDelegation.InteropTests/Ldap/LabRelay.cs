using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.InteropTests.Ldap;

/// <summary>A relay between a client and a server of the lab. It passes the server's answers on unit by unit, and a test changes
/// them. A unit is an LDAP message, a sealed message (RFC 4422 §3.7) or a TLS record.</summary>
internal sealed class LabRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<Socket> _sockets = [];
    private readonly IPEndPoint _server;
    private readonly RelayRule _rule;
    private readonly Task _accepting;
    private int _connections;

    private LabRelay(IPEndPoint server, RelayRule rule)
    {
        (_server, _rule) = (server, rule);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Gets the number of connections that were accepted.</summary>
    public int Connections => _connections;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static LabRelay Start(IPEndPoint server, RelayRule rule) => new(server, rule);

    /// <summary>Resets all connections.</summary>
    public void Reset()
    {
        foreach (var socket in _sockets)
            socket.Close(timeout: 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Reset();
        await _accepting;
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _sockets.Add(client);
                _ = RelayAsync(client, Interlocked.Increment(ref _connections));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test ends.
        }
    }

    private async Task RelayAsync(Socket client, int connection)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _sockets.Add(server);
        try
        {
            await server.ConnectAsync(_server, _stop.Token);
            using var down = new NetworkStream(client);
            using var up = new NetworkStream(server);
            var sent = down.CopyToAsync(up, _stop.Token);
            await Task.WhenAny(sent, PassAnswersAsync(up, down, connection)).Unwrap();
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
        {
            // One side ended.
        }
        finally
        {
            client.Close(timeout: 0);
            server.Close(timeout: 0);
        }
    }

    // Ends the connection when the rule returns null.
    private async Task PassAnswersAsync(NetworkStream from, NetworkStream to, int connection)
    {
        for (var number = 0; ; number++)
        {
            var unit = await ReadUnitAsync(from);
            if (_rule(new RelayedUnit(connection, number, unit)) is not { } units)
                return;
            foreach (var each in units)
                await to.WriteAsync(each, _stop.Token);
        }
    }

    private async Task<byte[]> ReadUnitAsync(NetworkStream from)
    {
        var head = new byte[6];
        await from.ReadExactlyAsync(head.AsMemory(0, 5), _stop.Token);
        var headLength = 5;
        int length;
        if (head[0] == 0x30)
        {
            // BER: the length in one byte, or the number of the bytes that hold it.
            var size = head[1] < 0x80 ? 0 : head[1] & 0x7F;
            if (size == 4)
                await from.ReadExactlyAsync(head.AsMemory(headLength++, 1), _stop.Token);
            length = size == 0 ? 2 + head[1] : 2 + size + head.AsSpan(2, size).ToArray().Aggregate(0, (sum, each) => (sum << 8) | each);
        }
        else
        {
            length = head[0] is >= 0x14 and <= 0x17
                ? 5 + BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(3))
                : 4 + BinaryPrimitives.ReadInt32BigEndian(head);
        }
        var unit = new byte[length];
        head.AsSpan(0, headLength).CopyTo(unit);
        await from.ReadExactlyAsync(unit.AsMemory(headLength), _stop.Token);
        return unit;
    }
}

/// <summary>A unit of the server's answers.</summary>
/// <param name="Connection">The number of the connection, from 1.</param>
/// <param name="Number">The number of the unit in its connection, from 0.</param>
/// <param name="Bytes">The unit with its length.</param>
internal sealed record RelayedUnit(int Connection, int Number, byte[] Bytes)
{
    /// <summary>Gets whether the unit is sealed by SASL.</summary>
    public bool IsSealed => Bytes[0] == 0;
}

/// <summary>Returns the units to send for a unit of the server, or null to reset the connection.</summary>
internal delegate IReadOnlyList<byte[]>? RelayRule(RelayedUnit unit);
