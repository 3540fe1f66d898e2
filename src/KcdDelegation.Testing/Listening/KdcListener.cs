using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Listening;

/// <summary>RFC 4120 §7.2: a KDC on a port of loopback that TCP and UDP share.</summary>
internal sealed class KdcListener : IAsyncDisposable
{
    private readonly Func<ReadOnlyMemory<byte>, KdcTransport, KdcDelivery?> _answer;
    private readonly Socket _tcp;
    private readonly Socket _udp;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _conversations = new();
    private readonly Task _running;

    /// <param name="answer">Null: no answer, and a TCP connection is closed.</param>
    public KdcListener(Func<ReadOnlyMemory<byte>, KdcTransport, KdcDelivery?> answer)
    {
        _answer = answer;
        (_tcp, _udp) = Bind();
        Port = ((IPEndPoint)_tcp.LocalEndPoint!).Port;
        _running = Task.WhenAll(AcceptAsync(_stop.Token), ReceiveAsync(_stop.Token));
    }

    public int Port { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _tcp.Dispose();
        _udp.Dispose();
        await _running.ConfigureAwait(false);
        await Task.WhenAll(_conversations.Keys).ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>The system picks a free port for TCP; where it is taken for UDP, another one.</summary>
    private static (Socket Tcp, Socket Udp) Bind()
    {
        for (var attempt = 0; ; attempt++)
        {
            var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
                udp.Bind(tcp.LocalEndPoint!);
                tcp.Listen();
                return (tcp, udp);
            }
            catch (SocketException) when (attempt < 10)
            {
                tcp.Dispose();
                udp.Dispose();
            }
        }
    }

    private async Task AcceptAsync(CancellationToken cancellationToken)
    {
        while (await StopsQuietlyAsync(() => _tcp.AcceptAsync(cancellationToken), cancellationToken).ConfigureAwait(false) is { } client)
            Track(KdcConnection.ServeAsync(client, _answer, cancellationToken));
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[65536];
        var from = new IPEndPoint(IPAddress.Any, 0);
        while (await StopsQuietlyAsync(async () => (SocketReceiveFromResult?)await _udp.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false) is { } received)
        {
            if (received.ReceivedBytes > 0 && _answer(buffer.AsSpan(0, received.ReceivedBytes).ToArray(), KdcTransport.Udp) is { } delivery)
                Track(SendDatagramAsync(delivery, received.RemoteEndPoint, cancellationToken));
        }
    }

    private async Task SendDatagramAsync(KdcDelivery delivery, EndPoint client, CancellationToken cancellationToken)
    {
        if (delivery.Manner is DeliveryManner.Silent or DeliveryManner.Close)
            return;
        try
        {
            await Task.Delay(delivery.Delay, cancellationToken).ConfigureAwait(false);
            await _udp.SendToAsync(delivery.Answer[..Math.Min(delivery.Answer.Length, delivery.Cut)], SocketFlags.None, client, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client went away, or the realm is being disposed: nobody is left to answer.
        }
    }

    /// <summary>One that fails is kept, and so the realm's disposal fails: a fault of the KDC itself must not look like one of the network.</summary>
    private void Track(Task conversation)
    {
        _conversations[conversation] = true;
        _ = conversation.ContinueWith(
            ended => _conversations.TryRemove(ended, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.NotOnFaulted, TaskScheduler.Default);
    }

    /// <summary>The next arrival, or null when the realm is being disposed.</summary>
    private static async Task<T?> StopsQuietlyAsync<T>(Func<ValueTask<T>> next, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                return await next().ConfigureAwait(false);
            }
            catch (Exception error) when (cancellationToken.IsCancellationRequested && error is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                return default;
            }
            catch (SocketException)
            {
                // A client that reset its connection before it was accepted, or an ICMP error of an earlier datagram: the next one may do.
            }
        }
        return default;
    }
}
