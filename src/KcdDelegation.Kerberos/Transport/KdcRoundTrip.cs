using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>One attempt at one KDC, over its configured transport, with a time-out.</summary>
internal sealed class KdcRoundTrip<TReply>(
    KdcEndpoint kdc, Func<KdcRequest<TReply>> create, KdcConnector connector, KdcTiming timing, TimeProvider time, ILogger logger)
{
    // RFC 4120 §7.2.1: larger requests use TCP, since fragments get lost. Windows and MIT use about the same limit.
    private const int MaxDatagram = 1400;

    // A datagram that is not the answer can come from a sender that forges the KDC's address. The KDC's own may follow.
    private const int MaxStrayDatagrams = 8;

    public KdcEndpoint Kdc => kdc;

    /// <summary>Gets what the KDC has not done yet, for an error message.</summary>
    public string Progress { get; private set; } = "was not asked";

    /// <summary>Sends the request and returns the validated reply.</summary>
    /// <exception cref="KerberosException">The KDC's error, or no usable answer (<see cref="KdcFailure.IsSpecificToKdc"/>).</exception>
    public async Task<TReply> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            return kdc.Transport == KdcTransport.Udp
                ? await AskByUdpAsync(linked.Token).ConfigureAwait(false)
                : await AskByTcpAsync(request: null, linked.Token).ConfigureAwait(false);
        }
        catch (SocketException error)
        {
            throw KdcFailure.Unreachable(error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw KdcFailure.Unreachable(string.Create(CultureInfo.InvariantCulture, $"{Progress} within {timeout.TotalSeconds:0.###} s"));
        }
    }

    private async Task<TReply> AskByUdpAsync(CancellationToken cancellationToken)
    {
        KdcRequest<TReply>? request = create();
        if (request.Message.Length <= MaxDatagram)
        {
            using var deadline = new CancellationTokenSource(timing.DatagramTimeout, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
            try
            {
                return await ExchangeDatagramsAsync(request, linked.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                TransportLog.KdcSilentOverUdp(logger, kdc);
            }
            catch (KerberosException tooBig) when (tooBig.Code == KerberosErrorCode.ResponseTooBig)
            {
                // RFC 4120 §7.2.1: "the client SHOULD retry the request using the TCP transport".
                TransportLog.KdcAnswerTooLargeForUdp(logger, kdc);
            }
            request = null;
        }
        return await AskByTcpAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TReply> ExchangeDatagramsAsync(KdcRequest<TReply> request, CancellationToken cancellationToken)
    {
        Progress = "did not answer";
        using var socket = await connector.ConnectAsync(kdc, SocketType.Dgram, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(request.Message, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        using var buffer = MemoryPool<byte>.Shared.Rent(ushort.MaxValue);
        for (var stray = 0; ; stray++)
        {
            var length = await socket.ReceiveAsync(buffer.Memory, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            try
            {
                // The decoded reply keeps references into this copy.
                return request.Check(buffer.Memory[..length].ToArray());
            }
            catch (KerberosException rejected) when (KdcFailure.IsRejectedReply(rejected) && stray < MaxStrayDatagrams)
            {
                TransportLog.DatagramIgnored(logger, kdc);
            }
        }
    }

    /// <summary>Sends the given request, or one that is created while the connection is opened.</summary>
    private async Task<TReply> AskByTcpAsync(KdcRequest<TReply>? request, CancellationToken cancellationToken)
    {
        Progress = "did not accept the connection";
        var connecting = connector.ConnectAsync(kdc, SocketType.Stream, cancellationToken);
        try
        {
            request ??= create();
        }
        catch
        {
            _ = DiscardAsync(connecting);
            throw;
        }
        using var socket = await connecting.ConfigureAwait(false);
        Progress = "accepted the connection but did not answer";
        await TcpFraming.SendAsync(socket, request.Message, cancellationToken).ConfigureAwait(false);
        return request.Check(await TcpFraming.ReceiveAsync(socket, cancellationToken).ConfigureAwait(false));
    }

    private static async Task DiscardAsync(Task<Socket> connecting)
    {
        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (connecting.IsCompletedSuccessfully)
            (await connecting.ConfigureAwait(false)).Dispose();
    }
}
