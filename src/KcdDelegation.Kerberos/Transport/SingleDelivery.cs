using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>The delivery of a request that must not be repeated: to the first server that can be reached, and once only.</summary>
/// <remarks>A server that received the request may have carried it out, so neither another server nor another transport is tried after
/// that. A datagram is not sent again either.</remarks>
internal sealed class SingleDelivery(KdcConnector connector, KdcTiming timing, TimeProvider time)
{
    // Datagrams that are not the answer can come from a sender that forges the server's address.
    private const int MaxStrayDatagrams = 16;

    /// <summary>Gets the time-out of the exchange with the server that was reached.</summary>
    public TimeSpan ReplyTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Creates a delivery that resolves hosts by the operating system.</summary>
    public static SingleDelivery Create(TimeProvider time)
    {
        var timing = new KdcTiming();
        return new SingleDelivery(new KdcConnector(SystemHostResolver.ResolveAsync, timing, time), timing, time);
    }

    /// <summary>Sends the request and returns the validated reply.</summary>
    /// <param name="servers">The servers in the order in which they are tried. Over TCP first, and over UDP if TCP is refused.</param>
    /// <param name="create">Creates the request for the local address of the connection. It is called immediately before the
    /// request is sent.</param>
    /// <param name="cancellationToken">Cancels the delivery.</param>
    /// <exception cref="KerberosException">No server could be reached (<paramref name="create"/> was not called), or the server that was
    /// reached gave no valid reply.</exception>
    public async Task<TReply> SendAsync<TReply>(
        IReadOnlyList<KdcEndpoint> servers, Func<IPAddress, KdcRequest<TReply>> create, CancellationToken cancellationToken)
    {
        var failures = new List<string>();
        foreach (var server in servers)
        {
            var socket = await ConnectAsync(server, failures, cancellationToken).ConfigureAwait(false);
            if (socket is null)
                continue;
            using (socket)
                return await ExchangeAsync(server, socket, create, cancellationToken).ConfigureAwait(false);
        }
        throw KdcFailure.Unreachable($"no password server could be reached: {string.Join("; ", failures)}");
    }

    /// <summary>Returns a connected socket, or null with a further failure in the list.</summary>
    private async Task<Socket?> ConnectAsync(KdcEndpoint server, List<string> failures, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timing.AttemptTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            if (server.Transport == KdcTransport.Udp)
                return await connector.ConnectAsync(server, SocketType.Dgram, linked.Token).ConfigureAwait(false);
            try
            {
                return await connector.ConnectAsync(server, SocketType.Stream, linked.Token).ConfigureAwait(false);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // Heimdal's server listens on UDP only.
                return await connector.ConnectAsync(server, SocketType.Dgram, linked.Token).ConfigureAwait(false);
            }
        }
        catch (SocketException error)
        {
            failures.Add($"{server} {KdcFailure.Describe(error)}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            failures.Add($"{server} did not accept the connection");
        }
        return null;
    }

    private async Task<TReply> ExchangeAsync<TReply>(
        KdcEndpoint server, Socket socket, Func<IPAddress, KdcRequest<TReply>> create, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(ReplyTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var request = create(((IPEndPoint)socket.LocalEndPoint!).Address);
        try
        {
            if (socket.SocketType == SocketType.Dgram)
                return await ExchangeDatagramsAsync(socket, request, linked.Token).ConfigureAwait(false);
            await TcpFraming.SendAsync(socket, request.Message, linked.Token).ConfigureAwait(false);
            return request.Check(await TcpFraming.ReceiveAsync(socket, linked.Token).ConfigureAwait(false));
        }
        catch (SocketException error)
        {
            throw KdcFailure.Unreachable($"{server} {KdcFailure.Describe(error)}", error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw KdcFailure.Unreachable($"{server} received the request and did not answer");
        }
        catch (KerberosException error) when (error.Code is null)
        {
            throw new KerberosException(error.Failure with { Detail = $"{server}: {error.Detail}" }, error);
        }
    }

    private static async Task<TReply> ExchangeDatagramsAsync<TReply>(
        Socket socket, KdcRequest<TReply> request, CancellationToken cancellationToken)
    {
        await socket.SendAsync(request.Message, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        using var buffer = MemoryPool<byte>.Shared.Rent(ushort.MaxValue);
        for (var stray = 0; ; stray++)
        {
            var length = await socket.ReceiveAsync(buffer.Memory, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            try
            {
                return request.Check(buffer.Memory[..length].ToArray());
            }
            catch (KerberosException) when (stray < MaxStrayDatagrams)
            {
                // Nothing that fails the checks is an answer, also not a KRB-ERROR. The server's own answer may follow.
            }
        }
    }
}
