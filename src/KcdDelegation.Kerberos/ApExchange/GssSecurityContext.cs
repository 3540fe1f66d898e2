using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.ApExchange;

/// <summary>The protection of the messages of a context.</summary>
internal enum GssProtection
{
    /// <summary>No protection, because the channel has its own, for example TLS.</summary>
    None,

    /// <summary>Integrity and confidentiality.</summary>
    Confidentiality,
}

/// <summary>The initiator's side of a GSS krb5 context (RFC 4121) with mutual authentication. Messages are sent and received in order on
/// one connection. Not thread-safe.</summary>
internal sealed class GssSecurityContext : IDisposable
{
    /// <summary>The smallest first sequence number. Acceptors disagree about the sign of larger ones, so the highest bit is
    /// zero.</summary>
    private const int FirstSequenceNumber = 0x4000_0000;

    private readonly ServiceTicket _ticket;
    private readonly KerberosKey _initiatorSubkey;
    private readonly AuthenticatorTimestamp _timestamp;
    private KerberosKey? _acceptorSubkey;
    private ulong _sent;
    private ulong _received;
    private bool _isEstablished;
    private bool _isBroken;

    private GssSecurityContext(ServiceTicket ticket, GssProtection protection, ReadOnlyMemory<byte> channelBinding)
    {
        _ticket = ticket;
        var issued = ticket.Issued;
        _initiatorSubkey = KerberosKey.CreateRandom(issued.SessionKey.Type);
        var sequence = FirstSequenceNumber | (uint)RandomNumberGenerator.GetInt32(FirstSequenceNumber);
        _sent = sequence;
        var timestamps = AuthenticatorTimestamps.Get(ticket.Clock.TimeProvider);
        _timestamp = timestamps.Next(AuthenticatorTimestamps.GetSequence(ticket.User.Name, issued.ClientRealm), ticket.Clock.Offset);
        var flags = GssChecksum.Mutual | GssChecksum.Replay | GssChecksum.Sequence;
        if (protection == GssProtection.Confidentiality)
            flags |= GssChecksum.Integrity | GssChecksum.Confidentiality;
        var authenticator = new Authenticator
        {
            ClientRealm = issued.ClientRealm,
            Client = issued.Client,
            Checksum = new ChecksumField(ChecksumType.Gss, GssChecksum.Create(flags, channelBinding.Span)),
            Microseconds = _timestamp.Microseconds,
            Time = DateTimeOffset.FromUnixTimeSeconds(_timestamp.UnixSeconds),
            Subkey = _initiatorSubkey,
            SequenceNumber = sequence,
        };
        var plaintext = authenticator.Encode();
        var encrypted = EncryptedData.Encrypt(issued.SessionKey, KeyUsage.ApRequestAuthenticator, plaintext);
        CryptographicOperations.ZeroMemory(plaintext);
        var request = new ApRequest(ApRequest.MutualRequired, issued.Ticket, encrypted);
        InitialToken = GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request.Encode());
    }

    /// <summary>Gets the initial token (RFC 4121 §4.1), without SPNEGO around it. It may be sent once.</summary>
    public ReadOnlyMemory<byte> InitialToken { get; }

    /// <summary>Creates a context from a ticket.</summary>
    /// <param name="ticket">A ticket to the service.</param>
    /// <param name="protection">The protection of the messages.</param>
    /// <param name="channelBinding">The application data of RFC 5929, or empty for no binding.</param>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired, or its client is disposed.</exception>
    public static GssSecurityContext Create(ServiceTicket ticket, GssProtection protection, ReadOnlyMemory<byte> channelBinding = default)
    {
        if (!ticket.IsUsable)
            throw ticket.Unusable();
        try
        {
            return new GssSecurityContext(ticket, protection, channelBinding);
        }
        catch (ObjectDisposedException error)
        {
            throw ServiceTicket.Disposed(error);
        }
    }

    /// <summary>Verifies the service's answer (RFC 4120 §3.2.5) and takes over its key and sequence number.</summary>
    /// <param name="token">The GSS krb5 token of the answer, without SPNEGO around it.</param>
    /// <exception cref="KerberosException">The token does not answer the initial token, or it is a KRB-ERROR.</exception>
    public void Complete(ReadOnlyMemory<byte> token)
    {
        if (_isEstablished || _isBroken)
            throw Broken("the service answered twice");
        _isBroken = true;
        using var proof = ApReplyProof.Open(_ticket, token, _timestamp);
        // RFC 4121 §1: "if the acceptor asserts a subkey, it is used"; without one, the initiator's subkey is.
        _acceptorSubkey = proof.TakeSubkey();
        // RFC 4121 §4.1.2: without a number in the AP-REP, the acceptor starts at zero.
        _received = proof.SequenceNumber ?? 0;
        (_isEstablished, _isBroken) = (true, false);
    }

    /// <summary>Creates a wrap token.</summary>
    /// <param name="message">The message.</param>
    /// <param name="seal">Whether to encrypt the message. Otherwise it is signed only.</param>
    public byte[] Wrap(ReadOnlySpan<byte> message, bool seal)
    {
        var key = GetKey();
        return seal
            ? GssMessageToken.Seal(key, KeyUsage.InitiatorSeal, OwnFlags, _sent++, message)
            : GssMessageToken.Sign(key, KeyUsage.InitiatorSeal, OwnFlags, _sent++, message);
    }

    /// <summary>Opens the service's next wrap token and returns its message, in pinned memory if it was encrypted. The caller zeroes
    /// it.</summary>
    /// <param name="token">The token.</param>
    /// <param name="mustBeSealed">Whether the token must be encrypted. A token of the other kind is refused.</param>
    /// <exception cref="KerberosException">The token is not the one that was expected, or was changed. The context cannot be used any
    /// more.</exception>
    public byte[] Unwrap(ReadOnlySpan<byte> token, bool mustBeSealed)
    {
        var key = GetKey();
        _isBroken = true;
        var flags = PeerFlags | (mustBeSealed ? GssMessageFlags.Sealed : GssMessageFlags.None);
        var message = GssMessageToken.Open(key, KeyUsage.AcceptorSeal, flags, _received, token);
        _received++;
        _isBroken = false;
        return message;
    }

    /// <summary>Opens the service's next wrap token, encrypted or only signed, as the sender chose.</summary>
    /// <exception cref="KerberosException">The token is not the one that was expected, or was changed. The context cannot be used any
    /// more.</exception>
    public byte[] UnwrapAny(ReadOnlySpan<byte> token) => Unwrap(token, GssMessageToken.IsSealed(token));

    /// <summary>Creates a MIC token.</summary>
    public byte[] GetMic(ReadOnlySpan<byte> message) =>
        GssMessageToken.CreateMic(GetKey(), KeyUsage.InitiatorSign, OwnFlags, _sent++, message);

    /// <summary>Verifies the service's next MIC token.</summary>
    /// <exception cref="KerberosException">The token is not the one that was expected, or does not match. The context cannot be used any
    /// more.</exception>
    public void VerifyMic(ReadOnlySpan<byte> message, ReadOnlySpan<byte> mic)
    {
        var key = GetKey();
        _isBroken = true;
        GssMessageToken.VerifyMic(key, KeyUsage.AcceptorSign, PeerFlags, _received, message, mic);
        _received++;
        _isBroken = false;
    }

    /// <summary>Zeroes the keys of the context. The ticket stays usable.</summary>
    public void Dispose()
    {
        _isBroken = true;
        _initiatorSubkey.Dispose();
        _acceptorSubkey?.Dispose();
    }

    private GssMessageFlags OwnFlags => _acceptorSubkey is null ? GssMessageFlags.None : GssMessageFlags.AcceptorSubkey;

    private GssMessageFlags PeerFlags => OwnFlags | GssMessageFlags.SentByAcceptor;

    private KerberosKey GetKey() => _isEstablished && !_isBroken
        ? _acceptorSubkey ?? _initiatorSubkey
        : throw Broken(_isEstablished ? "an earlier message was refused" : "the service has not answered yet");

    private static InvalidOperationException Broken(string reason) => new($"The security context cannot be used: {reason}.");
}
