using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos;

namespace KcdDelegation.Testing.Listening;

/// <summary>RFC 4120 §7.2: listens on a loopback port that TCP and UDP share.</summary>
internal sealed class KdcListener : IAsyncDisposable
{
    private readonly Func<ReadOnlyMemory<byte>, KdcTransport, KdcDelivery?> _answer;
    private readonly Socket _tcp;
    private readonly Socket _udp;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, bool> _conversations = new();
    private readonly Task _running;

    /// <param name="answer">Answers a request. Null: no answer, and a TCP connection is closed.</param>
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

    /// <summary>Binds both to a port that the system chooses for TCP. Tries another one if it is in use for UDP.</summary>
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
        while (await NextAsync(() => _tcp.AcceptAsync(cancellationToken), cancellationToken).ConfigureAwait(false) is { } client)
            Track(KdcConnection.ServeAsync(client, _answer, cancellationToken));
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[65536];
        var from = new IPEndPoint(IPAddress.Any, 0);
        while (await NextAsync(ReceiveOneAsync, cancellationToken).ConfigureAwait(false) is { } received)
        {
            if (received.ReceivedBytes > 0 && _answer(buffer.AsSpan(0, received.ReceivedBytes).ToArray(), KdcTransport.Udp) is { } delivery)
                Track(SendDatagramAsync(delivery, received.RemoteEndPoint, cancellationToken));
        }

        async ValueTask<SocketReceiveFromResult?> ReceiveOneAsync() =>
            await _udp.ReceiveFromAsync(buffer, SocketFlags.None, from, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendDatagramAsync(KdcDelivery delivery, EndPoint client, CancellationToken cancellationToken)
    {
        if (delivery.Mode is DeliveryMode.Silent or DeliveryMode.Close)
            return;
        try
        {
            await Task.Delay(delivery.Delay, cancellationToken).ConfigureAwait(false);
            var datagram = delivery.Answer[..Math.Min(delivery.Answer.Length, delivery.Cut)];
            await _udp.SendToAsync(datagram, SocketFlags.None, client, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The client disconnected, or the realm is being disposed. There is no one to answer.
        }
    }

    /// <summary>Keeps a conversation that fails, so that disposal fails: an error in the KDC must not look like one of the
    /// network.</summary>
    private void Track(Task conversation)
    {
        _conversations[conversation] = true;
        _ = conversation.ContinueWith(
            ended => _conversations.TryRemove(ended, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.NotOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Gets the next connection or datagram, or null when the realm is being disposed.</summary>
    private static async Task<T?> NextAsync<T>(Func<ValueTask<T>> next, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                return await next().ConfigureAwait(false);
            }
            catch (Exception error) when (
                (cancellationToken.IsCancellationRequested
                    && error is SocketException) || error is OperationCanceledException or ObjectDisposedException)
            {
                return default;
            }
            catch (SocketException)
            {
                // A client reset its connection before it was accepted, or an earlier datagram caused an ICMP error.
            }
        }
        return default;
    }
}
