using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Net;
using System.Net.Sockets;
using System.Text;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Tests.ApExchange;

namespace KcdDelegation.DirectoryServices.Tests.Servers;

/// <summary>A directory server whose answers a test writes, byte by byte if it wants. It binds by GSSAPI with the session key that the test
/// knows.</summary>
internal sealed class LyingServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _conversations = [];
    private readonly Task _accepting;
    private int _connections;

    public LyingServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Gets the requests that arrived, with their connection's number.</summary>
    public List<(int Connection, Request Request)> Requests { get; } = [];

    /// <summary>Gets or sets the source of the ticket whose session key the server uses.</summary>
    public required Func<ServiceTicket> Ticket { get; init; }

    /// <summary>Gets or sets the answers to a request. An empty array closes the connection.</summary>
    public Func<Request, IEnumerable<byte[]>> Answer { get; set; } = request => [LdapAnswers.Done(request.Id)];

    /// <summary>Gets or sets a change of the bind's answers: step, then the message that would be sent.</summary>
    public Func<int, int, byte[], byte[]> ChangeBind { get; set; } = (_, _, message) => message;

    /// <summary>Gets or sets the layers that are offered (RFC 4752 §3.1), and the largest message.</summary>
    public byte[] Layers { get; set; } = [7, 0xFF, 0xFF, 0xFF];

    /// <summary>Gets or sets a change of each frame, with its length field, after the bind.</summary>
    public Func<GssAcceptor, byte[], byte[]> ChangeFrame { get; set; } = (_, frame) => frame;

    /// <summary>Gets or sets a delay before each byte of an answer.</summary>
    public TimeSpan Drip { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Stop();
        await Task.WhenAll(_conversations);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                var number = Interlocked.Increment(ref _connections);
                _conversations.Add(Task.Run(() => ServeAsync(client, number)));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await BindAsync(stream) is { } acceptor)
                    await AnswerAsync(stream, acceptor, number);
            }
            catch (Exception error) when (error is IOException or OperationCanceledException or SocketException or KerberosException
                or EndOfStreamException)
            {
                // The client closed the connection, as it should after a lie.
            }
        }
    }

    private async Task<GssAcceptor?> BindAsync(NetworkStream stream)
    {
        GssAcceptor? acceptor = null;
        for (var step = 0; ; step++)
        {
            var (id, credentials) = ReadBind(await ReadMessageAsync(stream));
            byte[] answer;
            if (step == 0)
            {
                acceptor = new GssAcceptor(Ticket(), credentials, assertsSubkey: true);
                answer = LdapAnswers.Bind(id, 14, acceptor.CreateReply());
            }
            else if (step == 1)
                answer = LdapAnswers.Bind(id, 14, acceptor!.Sign(Layers));
            else
                answer = LdapAnswers.Bind(id, 0);
            await stream.WriteAsync(ChangeBind(step, id, answer), _stop.Token);
            if (step == 2)
            {
                acceptor!.Open(credentials, isSealed: false)[0].ShouldBe((byte)4);
                return acceptor;
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, GssAcceptor acceptor, int connection)
    {
        while (true)
        {
            var head = new byte[4];
            await stream.ReadExactlyAsync(head, _stop.Token);
            var token = new byte[BinaryPrimitives.ReadInt32BigEndian(head)];
            await stream.ReadExactlyAsync(token, _stop.Token);
            var request = Request.Read(acceptor.Open(token, isSealed: true));
            lock (Requests)
                Requests.Add((connection, request));
            if (request.IsUnbind)
                return;
            foreach (var message in Answer(request))
            {
                if (message.Length == 0)
                    return;
                var frame = Frame(acceptor.Seal(message));
                await WriteAsync(stream, ChangeFrame(acceptor, frame));
            }
        }
    }

    private async Task WriteAsync(NetworkStream stream, byte[] bytes)
    {
        if (Drip == TimeSpan.Zero)
        {
            await stream.WriteAsync(bytes, _stop.Token);
            return;
        }
        foreach (var octet in bytes)
        {
            await stream.WriteAsync(new[] { octet }, _stop.Token);
            await Task.Delay(Drip, _stop.Token);
        }
    }

    public static byte[] Frame(byte[] token)
    {
        var frame = new byte[4 + token.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, token.Length);
        token.CopyTo(frame, 4);
        return frame;
    }

    private async Task<byte[]> ReadMessageAsync(NetworkStream stream)
    {
        var bytes = new List<byte>();
        while (true)
        {
            var one = new byte[1];
            await stream.ReadExactlyAsync(one, _stop.Token);
            bytes.Add(one[0]);
            if (AsnDecoder.TryReadEncodedValue(bytes.ToArray(), AsnEncodingRules.BER, out _, out _, out _, out _))
                return [.. bytes];
        }
    }

    private static (int Id, byte[] Credentials) ReadBind(byte[] message)
    {
        var fields = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
        fields.TryReadInt32(out var id).ShouldBeTrue();
        var bind = fields.ReadSequence(new Asn1Tag(TagClass.Application, 0));
        bind.ReadInteger().ShouldBe(3);
        bind.ReadOctetString().ShouldBeEmpty();
        var sasl = bind.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
        Encoding.ASCII.GetString(sasl.ReadOctetString()).ShouldBe("GSSAPI");
        return (id, sasl.HasData ? sasl.ReadOctetString() : []);
    }

    /// <summary>A search request, or the end of the connection.</summary>
    internal sealed record Request(int Id, string Base, string[] Attributes, bool HasPage, byte[] Cookie, bool IsUnbind)
    {
        public static Request Read(byte[] message)
        {
            var fields = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
            fields.TryReadInt32(out var id).ShouldBeTrue();
            if (fields.PeekTag().HasSameClassAndValue(new Asn1Tag(TagClass.Application, 2)))
                return new Request(id, "", [], false, [], IsUnbind: true);
            var search = fields.ReadSequence(new Asn1Tag(TagClass.Application, 3));
            var name = Encoding.UTF8.GetString(search.ReadOctetString());
            for (var i = 0; i < 6; i++)
                search.ReadEncodedValue();
            var list = search.ReadSequence();
            var attributes = new List<string>();
            while (list.HasData)
                attributes.Add(Encoding.UTF8.GetString(list.ReadOctetString()));
            byte[] cookie = [];
            var hasPage = false;
            if (fields.HasData)
            {
                var control = fields.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
                hasPage = Encoding.ASCII.GetString(control.ReadOctetString()) == "1.2.840.113556.1.4.319";
                control.ReadBoolean();
                var page = new AsnReader(control.ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
                page.ReadInteger();
                cookie = page.ReadOctetString();
            }
            return new Request(id, name, [.. attributes], hasPage, cookie, IsUnbind: false);
        }
    }
}
