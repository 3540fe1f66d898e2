using System.Net;
using System.Net.Sockets;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The answer of one KDC to an AS-REQ of the account without pre-authentication.</summary>
/// <param name="RoundTrip">The time between the request and its answer.</param>
/// <param name="ServerTime">The KDC's clock in UTC, in whole seconds; null if the answer has none. It is not authenticated.</param>
/// <param name="Error">The refusal, or null. A request for pre-authentication is none.</param>
/// <param name="Hints">The encryption types and salts of the account's keys (RFC 4120 §5.2.7.5).</param>
internal sealed record KdcAnswer(
    TimeSpan RoundTrip, DateTimeOffset? ServerTime, KerberosException? Error, IReadOnlyList<EtypeInfo2Entry> Hints)
{
    /// <summary>Gets whether the KDC has no key for the account of the types that the request offered.</summary>
    public bool HasNoKey => Error?.Code == KerberosErrorCode.EncryptionTypeNotSupported
        || (Error is null && RequiresPreAuthentication && Hints.Count == 0);

    /// <summary>Gets whether the KDC requires the account to prove its key, as it should.</summary>
    public required bool RequiresPreAuthentication { get; init; }
}

/// <summary>Asks one certain KDC over one certain transport, for diagnosis. No key is proven, so no account is locked out.</summary>
internal sealed class KdcInquiry(ExchangeContext context)
{
    private static readonly TimeSpan ResendInterval = TimeSpan.FromSeconds(1);

    /// <exception cref="KerberosException">The KDC cannot be reached, or its answer is malformed.</exception>
    public async Task<KdcAnswer> AskAsync(KdcEndpoint kdc, KdcTransport transport, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var request = new AsExchange(
            context, LogOnTarget.TicketGranting(context.Realm), context.EncryptionTypes, preAuthentication: null, context.Clock.Offset);
        using var deadline = new CancellationTokenSource(timeout, context.Clock.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var progress = "has no address";
        try
        {
            var addresses = await SystemHostResolver.ResolveAsync(kdc.Host, linked.Token).ConfigureAwait(false);
            progress = transport == KdcTransport.Udp ? "did not answer over UDP" : "did not accept the connection";
            var start = context.Clock.TimeProvider.GetTimestamp();
            var reply = transport == KdcTransport.Udp
                ? await AskByUdpAsync(new IPEndPoint(addresses[0], kdc.Port), request.Message, linked.Token).ConfigureAwait(false)
                : await AskByTcpAsync(
                    new IPEndPoint(addresses[0], kdc.Port), request.Message,
                    () => progress = "accepted the connection but did not answer", linked.Token).ConfigureAwait(false);
            return Read(reply, context.Clock.TimeProvider.GetElapsedTime(start));
        }
        catch (SocketException error)
        {
            throw KdcFailure.Unreachable(KdcFailure.Describe(error), error);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw KdcFailure.Unreachable($"{progress} within {timeout.TotalSeconds:0.#} s");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> AskByTcpAsync(
        IPEndPoint kdc, ReadOnlyMemory<byte> message, Action onConnected, CancellationToken cancellationToken)
    {
        using var socket = new Socket(kdc.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(kdc, cancellationToken).ConfigureAwait(false);
        onConnected();
        await TcpFraming.SendAsync(socket, message, cancellationToken).ConfigureAwait(false);
        return await TcpFraming.ReceiveAsync(socket, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ReadOnlyMemory<byte>> AskByUdpAsync(
        IPEndPoint kdc, ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        using var socket = new Socket(kdc.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(kdc, cancellationToken).ConfigureAwait(false);
        var buffer = new byte[ushort.MaxValue];
        var length = await UdpExchange.ReceiveAsync(
            socket, message, sendFirst: true, buffer, ResendInterval, context.Clock.TimeProvider, cancellationToken).ConfigureAwait(false);
        return buffer.AsMemory(0, length);
    }

    private KdcAnswer Read(ReadOnlyMemory<byte> reply, TimeSpan roundTrip)
    {
        if (!KrbError.Is(reply))
        {
            // The account needs no pre-authentication. The reply shows the type of its key; nothing is decrypted.
            var message = KdcReplyMessage.Decode(KdcMessageType.AsReply, reply);
            return new KdcAnswer(roundTrip, null, null, [new EtypeInfo2Entry(message.EncryptedPart.Type, null, null)])
            {
                RequiresPreAuthentication = false,
            };
        }
        var error = KrbError.Decode(reply);
        var refusal = KdcErrorReply.ToException(error);
        context.NoteSoftware(context.Realm, refusal.KdcSoftware);
        var isRequest = error.Code == KerberosErrorCode.PreAuthenticationRequired;
        var hints = isRequest && PaData.DecodeMethodData(error.Data).Find(PaDataType.EtypeInfo2) is { } value
            ? EtypeInfo2Entry.DecodeList(value)
            : [];
        return new KdcAnswer(
            roundTrip, error.ServerTime,
            isRequest ? null : refusal.InContext(
                context.Describe(new KerberosFailure { Exchange = KerberosExchange.LogOn }, context.Realm)),
            hints)
        {
            RequiresPreAuthentication = true,
        };
    }
}
