using System.Buffers;
using System.Globalization;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Recording;
using Microsoft.Extensions.Logging;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>One attempt at one KDC, over its configured transport, with a time-out.</summary>
internal sealed class KdcRoundTrip<TReply>(
    KdcEndpoint kdc,
    KdcRequestMode mode,
    Func<KdcRequest<TReply>> create,
    KdcConnector connector,
    KdcConnectionLimits limits,
    KdcTiming timing,
    TimeProvider time,
    ILogger logger,
    RecordedAttempt? recording)
{
    // RFC 4120 §7.2.1: larger requests use TCP, since fragments get lost. Windows and MIT use about the same limit.
    private const int MaxDatagram = 1400;

    // A datagram that is not the answer can come from a sender that forges the KDC's address. The KDC's own may follow.
    private const int MaxStrayDatagrams = 8;

    // A connection that stays silent may never have reached the KDC, whose queue of new connections was full.
    private static readonly int[] s_connections = [1, 2, 3];

    private Stage _stage;
    private string? _udpFailure;
    private bool _mayHaveReceivedDatagram;

    public KdcEndpoint Kdc => kdc;

    /// <summary>Gets the record of this attempt, or null if it is not recorded.</summary>
    public RecordedAttempt? Recording => recording;

    /// <summary>Gets whether the KDC was contacted. Otherwise the attempt is waiting for other requests to the KDC.</summary>
    public bool HasContactedKdc => _stage > Stage.Waiting;

    /// <summary>Gets what the KDC has not done yet, for an error message.</summary>
    public string Progress => AfterUdp(_stage switch
    {
        Stage.Created => "was not asked",
        Stage.Waiting => $"was not asked, since {timing.MaxConnectionsPerKdc} requests to it were in progress",
        Stage.SendingDatagrams => "did not answer over UDP",
        Stage.Connecting => "did not accept the connection",
        _ => "accepted the connection but did not answer",
    });

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
            // The inner error lets a restarted KDC be asked again, which must not prove a key twice.
            var isRepeatable = mode == KdcRequestMode.Hedged || !_mayHaveReceivedDatagram;
            throw KdcFailure.Unreachable(AfterUdp(KdcFailure.Describe(error)), isRepeatable ? error : null);
        }
        catch (KerberosException error) when (_udpFailure is not null && IsFailedConnection(error))
        {
            throw KdcFailure.Unreachable(AfterUdp(error.Detail), error.InnerException);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw KdcFailure.Unreachable(string.Create(CultureInfo.InvariantCulture, $"{Progress} within {timeout.TotalSeconds:0.###} s"));
        }
    }

    private enum Stage
    {
        Created,
        Waiting,
        SendingDatagrams,
        Connecting,
        Connected,
    }

    private string AfterUdp(string tcpFailure) => _udpFailure is null ? tcpFailure : $"{_udpFailure}, and over TCP it {tcpFailure}";

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
                _udpFailure = "did not answer over UDP";
                recording?.End(_udpFailure);
                _mayHaveReceivedDatagram = true;
                TransportLog.KdcSilentOverUdp(logger, kdc);
            }
            catch (SocketException error)
            {
                // ICMP "port unreachable" is reported as a refused connection.
                _udpFailure = error.SocketErrorCode == SocketError.ConnectionRefused ? "has a closed UDP port"
                    : $"over UDP {KdcFailure.Describe(error)}";
                recording?.End(_udpFailure);
                TransportLog.UdpFailed(logger, kdc, _udpFailure);
            }
            catch (KerberosException tooLarge) when (tooLarge.Code == KerberosErrorCode.ResponseTooBig)
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
        using var permit = await AcquireAsync(cancellationToken).ConfigureAwait(false);
        Enter(Stage.SendingDatagrams);
        using var socket = await connector.ConnectAsync(kdc, SocketType.Dgram, cancellationToken).ConfigureAwait(false);
        using var buffer = MemoryPool<byte>.Shared.Rent(ushort.MaxValue);
        var recorded = recording?.Send(request.Message, socket.RemoteEndPoint, isUdp: true);
        for (var stray = 0; ; stray++)
        {
            var length = await UdpExchange.ReceiveAsync(
                socket, request.Message, sendFirst: stray == 0, buffer.Memory, timing.DatagramResendInterval, time, cancellationToken)
                .ConfigureAwait(false);
            try
            {
                // The decoded reply keeps references into this copy.
                return request.Check(buffer.Memory[..length].ToArray(), recorded);
            }
            catch (KerberosException rejected) when (KdcFailure.IsRejectedReply(rejected) && stray < MaxStrayDatagrams)
            {
                TransportLog.DatagramIgnored(logger, kdc);
            }
        }
    }

    /// <summary>Asks over TCP. If a connection stays silent, another one is opened to the same KDC.</summary>
    /// <param name="request">A request that was created but not sent, or null.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    private async Task<TReply> AskByTcpAsync(KdcRequest<TReply>? request, CancellationToken cancellationToken)
    {
        if (mode == KdcRequestMode.Hedged)
        {
            return await RepeatWhileSilentAsync(
                (number, token) => ConnectAndExchangeAsync(number == 1 ? request : null, token), cancellationToken).ConfigureAwait(false);
        }
        // A connection proves no key, so several may be opened. The request is sent on one of them only.
        using var connection = await RepeatWhileSilentAsync((_, token) => ConnectAsync(token), cancellationToken).ConfigureAwait(false);
        return await ExchangeAsync(connection, request ?? create(), cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> RepeatWhileSilentAsync<T>(Func<int, CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        var (result, _) = await StaggeredRace.RunAsync(
            s_connections, timing.SilenceInterval, time, run, IsFailedConnection, startsNextOnFailure: false, cancellationToken)
                .ConfigureAwait(false);
        return result;
    }

    private static bool IsFailedConnection(Exception failure) =>
        failure is SocketException or KerberosException { Code: null, Reason: KerberosFailureReason.KdcUnreachable };

    private async Task<TReply> ConnectAndExchangeAsync(KdcRequest<TReply>? request, CancellationToken cancellationToken)
    {
        var connecting = ConnectAsync(cancellationToken);
        try
        {
            // The request is created while the connection is opened.
            request ??= create();
        }
        catch
        {
            _ = DiscardAsync(connecting);
            throw;
        }
        using var connection = await connecting.ConfigureAwait(false);
        return await ExchangeAsync(connection, request, cancellationToken).ConfigureAwait(false);
    }

    private async Task<KdcConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var permit = await AcquireAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Enter(Stage.Connecting);
            return new KdcConnection(await connector.ConnectAsync(kdc, SocketType.Stream, cancellationToken).ConfigureAwait(false), permit);
        }
        catch
        {
            permit.Dispose();
            throw;
        }
    }

    private async Task<TReply> ExchangeAsync(KdcConnection connection, KdcRequest<TReply> request, CancellationToken cancellationToken)
    {
        Enter(Stage.Connected);
        var recorded = recording?.Send(request.Message, connection.Socket.RemoteEndPoint, isUdp: false);
        await TcpFraming.SendAsync(connection.Socket, request.Message, cancellationToken).ConfigureAwait(false);
        return request.Check(await TcpFraming.ReceiveAsync(connection.Socket, cancellationToken).ConfigureAwait(false), recorded);
    }

    private ValueTask<IDisposable> AcquireAsync(CancellationToken cancellationToken)
    {
        Enter(Stage.Waiting);
        return limits.AcquireAsync(kdc, cancellationToken);
    }

    /// <summary>Records progress. A later connection of the same attempt does not reset it.</summary>
    private void Enter(Stage stage)
    {
        if (stage > _stage)
            _stage = stage;
    }

    private static async Task DiscardAsync(Task<KdcConnection> connecting)
    {
        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (connecting.IsCompletedSuccessfully)
            (await connecting.ConfigureAwait(false)).Dispose();
    }
}
