using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Kerberos.Names;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.Tests.Transport;

/// <summary>A request that a <see cref="FakeKdc"/> answers with <c>+</c> and the request's own bytes, or with <c>E</c> and an error code.
/// Each request has its own number, which takes the role of the nonce.</summary>
internal sealed class EchoRequest(int number, int length) : KdcRequest<int>
{
    private readonly byte[] _message = MakeMessage(number, length);

    public override ReadOnlyMemory<byte> Message => _message;

    public override int Check(ReadOnlyMemory<byte> reply)
    {
        if (reply.Length >= 2 && reply.Span[0] == 'E')
        {
            var code = (KerberosErrorCode)reply.Span[1];
            throw new KerberosException(new KerberosFailure { Code = code, IsTransient = code == KerberosErrorCode.ServiceUnavailable,
                Detail = "the KDC's text" });
        }
        if (reply.Length == 0 || reply.Span[0] != '+' || !reply[1..].Span.SequenceEqual(_message))
            throw KerberosException.Malformed("AS-REP",
                $"is '{PrintableText.From(Encoding.Latin1.GetString(reply.Span[..Math.Min(8, reply.Length)]))}'");
        return number;
    }

    private static byte[] MakeMessage(int number, int length)
    {
        var message = new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(message, number);
        return message;
    }
}

/// <summary>Creates requests and counts them.</summary>
internal sealed class EchoRequests(int length = 16)
{
    private int _created;

    public int Created => Volatile.Read(ref _created);

    public KdcRequest<int> Create() => new EchoRequest(Interlocked.Increment(ref _created), length);
}
