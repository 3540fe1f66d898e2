using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>A DNS client for SRV records, which the class library cannot query. Thread-safe.</summary>
/// <param name="servers">Returns the name servers in order. Called for each query, since the network configuration can change.</param>
/// <param name="time">The clock and timers.</param>
internal sealed class DnsClient(Func<IReadOnlyList<IPEndPoint>> servers, TimeProvider time)
{
    private const int MaxServers = 3;
    private const int MaxStrayDatagrams = 16;

    private static readonly TimeSpan NextServerDelay = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan ServerTimeout = TimeSpan.FromSeconds(3);

    /// <summary>Returns the name servers of the network interfaces (on Linux those of resolv.conf).</summary>
    /// <exception cref="IOException">The system does not list its network interfaces.</exception>
    public static IReadOnlyList<IPEndPoint> SystemServers()
    {
        try
        {
            return GetDnsServers(NetworkInterface.GetAllNetworkInterfaces());
        }
        catch (NetworkInformationException error)
        {
            throw new IOException("is not known: the system does not list its network interfaces", error);
        }
    }

    /// <summary>Returns the SRV records of a name, or an empty list if there are none or if the name is not a valid DNS name.</summary>
    /// <exception cref="InvalidDataException">No server gave a usable answer. The message describes the last server's failure.</exception>
    /// <exception cref="SocketException">No server gave a usable answer. The last one could not be reached.</exception>
    /// <exception cref="IOException">The last server closed the connection, or the system does not list its name servers.</exception>
    /// <exception cref="TimeoutException">No server gave a usable answer. The last one did not answer in time.</exception>
    public async Task<IReadOnlyList<SrvRecord>> FindServicesAsync(string name, CancellationToken cancellationToken)
    {
        if (DnsMessage.EncodeQuery(0, name) is null)
            return [];
        var serversToAsk = servers().Take(MaxServers).ToList();
        if (serversToAsk.Count == 0)
            throw new InvalidDataException("is not known: no network interface has one");
        // Each server is asked twice, since a datagram can get lost.
        var (records, _) = await StaggeredRace.RunAsync(
            [.. serversToAsk, .. serversToAsk],
            NextServerDelay,
            time,
            (server, token) => AskAsync(server, name, token),
            static failure => failure is InvalidDataException or SocketException or IOException or TimeoutException,
            startsNextOnFailure: true, cancellationToken).ConfigureAwait(false);
        return records;
    }

    private static List<IPEndPoint> GetDnsServers(NetworkInterface[] networks) => networks
        .Where(static network => network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
        .SelectMany(static network => network.GetIPProperties().DnsAddresses)
        // Windows lists site-local addresses (deprecated by RFC 3879) for interfaces without a configured server.
        .Where(static address => !address.IsIPv6SiteLocal)
        .Distinct()
        .Select(static address => new IPEndPoint(address, 53))
        .ToList();

    private async Task<IReadOnlyList<SrvRecord>> AskAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        // RFC 5452 §9.2: the identifier is unpredictable, and the system chooses a new source port for each query.
        var query = DnsMessage.EncodeQuery((ushort)RandomNumberGenerator.GetInt32(1 << 16), name)!;
        using var timeout = new CancellationTokenSource(ServerTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            var answer = await AskByUdpAsync(server, query, linked.Token).ConfigureAwait(false);
            if (DnsMessage.IsTruncated(answer))
                answer = await AskByTcpAsync(server, query, linked.Token).ConfigureAwait(false);
            return DnsMessage.ReadAnswer(answer, query);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException("did not answer in time", late);
        }
    }

    private static async Task<byte[]> AskByUdpAsync(IPEndPoint server, byte[] query, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        await socket.SendAsync(query, SocketFlags.None, cancellationToken).ConfigureAwait(false);
        var buffer = new byte[4096];
        for (var stray = 0; stray < MaxStrayDatagrams; stray++)
        {
            var length = await socket.ReceiveAsync(buffer, SocketFlags.None, cancellationToken).ConfigureAwait(false);
            if (DnsMessage.IsAnswerTo(buffer.AsSpan(0, length), query))
                return buffer[..length];
        }
        throw new InvalidDataException("sent only answers to other questions");
    }

    private static async Task<byte[]> AskByTcpAsync(IPEndPoint server, byte[] query, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        var stream = new NetworkStream(socket, ownsSocket: false);
        await using (stream.ConfigureAwait(false))
        {
            // RFC 1035 §4.2.2: a length of two bytes precedes the message.
            var framed = new byte[2 + query.Length];
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
            query.CopyTo(framed, 2);
            await stream.WriteAsync(framed, cancellationToken).ConfigureAwait(false);
            await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellationToken).ConfigureAwait(false);
            var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
            await stream.ReadExactlyAsync(answer, cancellationToken).ConfigureAwait(false);
            return DnsMessage.IsAnswerTo(answer, query) ? answer : throw new InvalidDataException("sent the answer to another question");
        }
    }
}
