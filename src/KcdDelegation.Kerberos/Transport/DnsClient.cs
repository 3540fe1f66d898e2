using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace KcdDelegation.Kerberos.Transport;

/// <summary>Asks name servers for SRV records: the class library has no call for them. Thread-safe.</summary>
/// <param name="servers">Asked at each query, since networks come and go; in order.</param>
/// <param name="time">Measures patience.</param>
internal sealed class DnsClient(Func<IReadOnlyList<IPEndPoint>> servers, TimeProvider time)
{
    private const int MaxServers = 3;
    private const int MaxStrayDatagrams = 16;

    private static readonly TimeSpan NextServerDelay = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan ServerTimeout = TimeSpan.FromSeconds(3);

    /// <summary>The name servers of the network interfaces (on Linux those of resolv.conf).</summary>
    /// <exception cref="IOException">The system does not tell.</exception>
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

    /// <summary>Empty if there are none, or if the name cannot be in DNS.</summary>
    /// <exception cref="InvalidDataException">No server gave a usable answer; the message says why the last one did not.</exception>
    /// <exception cref="SocketException">The same: it could not be reached.</exception>
    /// <exception cref="IOException">The same: it closed the connection, or the system does not tell its name servers.</exception>
    /// <exception cref="TimeoutException">The same: it did not answer in time.</exception>
    public async Task<IReadOnlyList<SrvRecord>> FindServicesAsync(string name, CancellationToken cancellationToken)
    {
        if (DnsMessage.EncodeQuery(0, name) is null)
            return [];
        var asked = servers().Take(MaxServers).ToList();
        if (asked.Count == 0)
            throw new InvalidDataException("is not known: no network interface has one");
        // Each twice: a datagram may get lost.
        var (records, _) = await StaggeredRace.RunAsync(
            [.. asked, .. asked],
            NextServerDelay,
            time,
            (server, token) => AskAsync(server, name, token),
            static failure => failure is InvalidDataException or SocketException or IOException or TimeoutException,
            cancellationToken).ConfigureAwait(false);
        return records;
    }

    private static List<IPEndPoint> GetDnsServers(NetworkInterface[] networks) => networks
        .Where(static network => network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
        .SelectMany(static network => network.GetIPProperties().DnsAddresses)
        // Windows lists these where nobody configured a server (RFC 3879 withdrew them).
        .Where(static address => !address.IsIPv6SiteLocal)
        .Distinct()
        .Select(static address => new IPEndPoint(address, 53))
        .ToList();

    private async Task<IReadOnlyList<SrvRecord>> AskAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        // RFC 5452 §9.2: an identifier that cannot be guessed; the port is the system's choice, another each time.
        var query = DnsMessage.EncodeQuery((ushort)RandomNumberGenerator.GetInt32(1 << 16), name)!;
        using var patience = new CancellationTokenSource(ServerTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
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
            if (DnsMessage.Answers(buffer.AsSpan(0, length), query))
                return buffer[..length];
        }
        throw new InvalidDataException("sent answers to other questions only");
    }

    private static async Task<byte[]> AskByTcpAsync(IPEndPoint server, byte[] query, CancellationToken cancellationToken)
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, cancellationToken).ConfigureAwait(false);
        var stream = new NetworkStream(socket, ownsSocket: false);
        await using (stream.ConfigureAwait(false))
        {
            // RFC 1035 §4.2.2: a length of two bytes goes before the message.
            var framed = new byte[2 + query.Length];
            BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)query.Length);
            query.CopyTo(framed, 2);
            await stream.WriteAsync(framed, cancellationToken).ConfigureAwait(false);
            await stream.ReadExactlyAsync(framed.AsMemory(0, 2), cancellationToken).ConfigureAwait(false);
            var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(framed)];
            await stream.ReadExactlyAsync(answer, cancellationToken).ConfigureAwait(false);
            return DnsMessage.Answers(answer, query) ? answer : throw new InvalidDataException("sent the answer to another question");
        }
    }
}
