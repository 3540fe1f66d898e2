using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>One try at one KDC, by the transport it is configured for, within a time.</summary>
internal sealed class KdcRoundTrip<TReply>(
    KdcEndpoint kdc, Func<KdcRequest<TReply>> create, KdcConnector connector, KdcTiming timing, TimeProvider time, ILogger logger)
{
    // RFC 4120 §7.2.1: what is larger goes by TCP at once, since fragments get lost; the number is the usual one of Windows and MIT.
    private const int MaxDatagram = 1400;

    // Datagrams that are not the answer may come from anybody who can forge the KDC's address; the true one may still come.
    private const int MaxStrayDatagrams = 8;

    public KdcEndpoint Kdc => kdc;

    /// <summary>What the KDC has not done yet, for an error; without an end, which says until when.</summary>
    public string Missing { get; private set; } = "was not asked";

    /// <exception cref="KerberosException">The KDC's error; or no usable answer (<see cref="KdcFailure.IsOfThisKdcOnly"/>).</exception>
    public async Task<TReply> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
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
            throw KdcFailure.Unreachable(string.Create(CultureInfo.InvariantCulture, $"{Missing} within {timeout.TotalSeconds:0.###} s"));
        }
    }

    private async Task<TReply> AskByUdpAsync(CancellationToken cancellationToken)
    {
        KdcRequest<TReply>? request = create();
        if (request.Message.Length <= MaxDatagram)
        {
            using var patience = new CancellationTokenSource(timing.DatagramTimeout, time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
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
                TransportLog.KdcAnswerTooBigForUdp(logger, kdc);
            }
            request = null;
        }
        return await AskByTcpAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TReply> ExchangeDatagramsAsync(KdcRequest<TReply> request, CancellationToken cancellationToken)
    {
        Missing = "did not answer";
        using var socket = await connector.ConnectAsync(kdc, SocketType.Dgram, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(request.Message, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        using var buffer = MemoryPool<byte>.Shared.Rent(ushort.MaxValue);
        for (var stray = 0; ; stray++)
        {
            var length = await socket.ReceiveAsync(buffer.Memory, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            try
            {
                // A copy: what is decoded may keep parts of it.
                return request.Check(buffer.Memory[..length].ToArray());
            }
            catch (KerberosException rejected) when (KdcFailure.IsRejectedReply(rejected) && stray < MaxStrayDatagrams)
            {
                TransportLog.KdcReplyRejected(logger, kdc);
            }
        }
    }

    /// <summary>Sends a request that was made but not sent yet, or one that is made while the connection is.</summary>
    private async Task<TReply> AskByTcpAsync(KdcRequest<TReply>? request, CancellationToken cancellationToken)
    {
        Missing = "did not accept the connection";
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
        Missing = "accepted the connection but did not answer";
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
