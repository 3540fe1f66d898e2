using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Tests.ApExchange;

/// <summary>The acceptor's side of a GSS krb5 context, which may misbehave. It knows the session key of the ticket.</summary>
internal sealed class GssAcceptor
{
    private readonly ServiceTicket _ticket;
    private readonly KerberosKey? _subkey;
    private ulong _sent;
    private ulong _received;

    public GssAcceptor(ServiceTicket ticket, ReadOnlyMemory<byte> initialToken, bool assertsSubkey, uint? sequence = 77)
    {
        _ticket = ticket;
        var (type, message) = GssKerberosToken.Unwrap(initialToken);
        type.ShouldBe(GssKerberosToken.ApRequestToken);
        Request = ApRequest.Decode(message);
        Authenticator = Authenticator.Decode(Request.Authenticator.Decrypt(ticket.Issued.SessionKey, KeyUsage.ApRequestAuthenticator));
        _subkey = assertsSubkey ? KerberosKey.CreateRandom(ticket.SessionKeyType) : null;
        _received = Authenticator.SequenceNumber!.Value;
        _sent = sequence ?? 0;
        Sequence = sequence;
    }

    public ApRequest Request { get; }

    public Authenticator Authenticator { get; }

    public uint? Sequence { get; }

    public KerberosKey Key => _subkey ?? Authenticator.Subkey!;

    private GssMessageFlags Subkey => _subkey is null ? GssMessageFlags.None : GssMessageFlags.AcceptorSubkey;

    public byte[] CreateReply(TimeSpan timeError = default, KerberosKey? key = null)
    {
        var part = new EncApReplyPart(Authenticator.Time + timeError, Authenticator.Microseconds)
        {
            Subkey = _subkey,
            SequenceNumber = Sequence,
        };
        var encrypted = EncryptedData.Encrypt(key ?? _ticket.Issued.SessionKey, KeyUsage.ApReply, part.Encode());
        return GssKerberosToken.Wrap(GssKerberosToken.ApReplyToken, new ApReply(encrypted).Encode());
    }

    public byte[] Open(byte[] token, bool isSealed) => GssMessageToken.Open(
        Key, KeyUsage.InitiatorSeal, Subkey | (isSealed ? GssMessageFlags.Sealed : GssMessageFlags.None), _received++, token);

    public byte[] Seal(ReadOnlySpan<byte> message) =>
        GssMessageToken.Seal(Key, KeyUsage.AcceptorSeal, Subkey | GssMessageFlags.SentByAcceptor, _sent++, message);

    public byte[] Sign(ReadOnlySpan<byte> message) =>
        GssMessageToken.Sign(Key, KeyUsage.AcceptorSeal, Subkey | GssMessageFlags.SentByAcceptor, _sent++, message);

    public byte[] CreateMic(ReadOnlySpan<byte> message) =>
        GssMessageToken.CreateMic(Key, KeyUsage.AcceptorSign, Subkey | GssMessageFlags.SentByAcceptor, _sent++, message);

    public void VerifyMic(ReadOnlySpan<byte> message, byte[] mic) =>
        GssMessageToken.VerifyMic(Key, KeyUsage.InitiatorSign, Subkey, _received++, message, mic);
}
