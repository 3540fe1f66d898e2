using System.Buffers.Binary;
using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.ApExchange;

namespace KcdDelegation.DirectoryServices.Sasl;

/// <summary>The mechanism GSSAPI (RFC 4752): the context, then the choice of the security layer.</summary>
/// <param name="server">The server's name, for messages.</param>
/// <param name="context">The context.</param>
/// <param name="seals">Whether the messages that follow are sealed.</param>
/// <param name="maxReceive">The largest wrap token that this client accepts, as it tells the server.</param>
internal sealed class GssapiMechanism(string server, GssSecurityContext context, bool seals, int maxReceive) : ISaslMechanism
{
    private const byte NoLayer = 1;
    private const byte Confidentiality = 4;

    /// <summary>The largest size that three octets hold.</summary>
    private const int MaxSize = 0xFF_FFFF;

    /// <summary>The overhead of a wrap token: header, its copy, confounder and the longest checksum (RFC 4121 §4.2.4).</summary>
    public const int WrapOverhead = 128;

    private Step _step = Step.Context;
    private int _maxSend;

    private enum Step
    {
        Context,
        Layer,
        Completed,
    }

    public string Name => "GSSAPI";

    public ReadOnlyMemory<byte> Start() => context.InitialToken;

    public ReadOnlyMemory<byte> Continue(ReadOnlyMemory<byte> challenge)
    {
        try
        {
            switch (_step)
            {
                case Step.Context:
                    context.Complete(challenge);
                    _step = Step.Layer;
                    // RFC 4752 §3.1: the client answers with no data once the context is established.
                    return default;
                case Step.Layer:
                    _step = Step.Completed;
                    return ChooseLayer(challenge.Span);
                default:
                    throw DirectoryException.Rejected(server, "the server continues the bind after the choice of the security layer");
            }
        }
        catch (KerberosException error)
        {
            throw DirectoryException.Rejected(server, $"the server's proof is not valid: {error.Message}", error);
        }
    }

    public SealedLayer? Complete(ReadOnlyMemory<byte>? lastChallenge)
    {
        if (_step != Step.Completed || lastChallenge is { IsEmpty: false })
            throw DirectoryException.Rejected(server, "the server reports a successful bind before it proved itself");
        return seals ? new SealedLayer(context, _maxSend) : null;
    }

    /// <summary>Answers the server's offer (RFC 4752 §3.1): the first octet is a mask of the layers that it supports; the other three are
    /// the largest wrap token that it accepts.</summary>
    private byte[] ChooseLayer(ReadOnlySpan<byte> challenge)
    {
        var offer = context.UnwrapAny(challenge);
        try
        {
            if (offer.Length != 4)
                throw DirectoryException.Rejected(server, $"the offer of security layers has {offer.Length} bytes instead of 4");
            var chosen = seals ? Confidentiality : NoLayer;
            if ((offer[0] & chosen) == 0)
            {
                throw DirectoryException.Rejected(server, seals
                    ? "the server does not offer encryption of the connection (SASL confidentiality)"
                    : "the server requires a SASL security layer inside TLS, which this client does not use");
            }
            var size = (int)(BinaryPrimitives.ReadUInt32BigEndian(offer) & MaxSize);
            _maxSend = size - WrapOverhead;
            if (seals && _maxSend < 1024)
                throw DirectoryException.Rejected(server, $"the server accepts messages of {size} bytes only");
            Span<byte> answer = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(answer, seals ? Math.Min(maxReceive, MaxSize) : 0);
            answer[0] = chosen;
            // No authorization identity follows: the server uses that of the ticket.
            return context.Wrap(answer, seal: false);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(offer);
        }
    }
}
