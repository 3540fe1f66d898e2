using System.Security.Cryptography;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos;

/// <summary>A GSS krb5 initial token (RFC 4121 §4.1) of constant length: <see cref="Prefix"/> never changes, the tail is new per
/// request. This is the door through which the header path passes from the library into the engine. Thread-safe.</summary>
public sealed class ApRequestTemplate
{
    // Kept here, although the ticket knows it too: a request that finds it elsewhere waits for memory more often than it computes.
    private readonly AuthenticatorTemplate _authenticator;
    private readonly AuthenticatorCipher _cipher;
    private readonly AuthenticatorTimestamps _stamps;
    private readonly KdcClock _clock;
    private readonly long _endSeconds;
    private readonly int _sequence;
    private readonly ServiceTicket _ticket;
    private readonly byte[] _prefix;

    /// <exception cref="ObjectDisposedException">The ticket's client was disposed.</exception>
    internal ApRequestTemplate(ServiceTicket ticket, ApRequestOptions options)
    {
        _ticket = ticket;
        _authenticator = new AuthenticatorTemplate(ticket.Issued, options);
        _cipher = ticket.AuthenticatorCipher;
        _clock = ticket.Clock;
        _endSeconds = ticket.Issued.EndSeconds;
        _stamps = AuthenticatorTimestamps.Get(ticket.Clock.TimeProvider);
        _sequence = AuthenticatorTimestamps.GetSequence(ticket.User.Name, ticket.Issued.ClientRealm);
        MutualAuthentication = options.MutualAuthentication;
        var key = ticket.Issued.SessionKey;
        TailLength = EncryptionProfile.ConfounderLength + _authenticator.Length + key.Profile.ChecksumLength;
        // The cipher is the last field of the AP-REQ, so all that stands before it is fixed once its length is.
        var request = new ApRequest(
            options.MutualAuthentication ? ApRequest.MutualRequired : 0,
            ticket.Issued.Ticket,
            new EncryptedData(key.Type, null, new byte[TailLength])).Encode();
        _prefix = GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request)[..^TailLength];
    }

    /// <summary>The bytes before the tail: GSS frame, AP-REQ head, ticket, and the head of the encrypted authenticator.</summary>
    public ReadOnlyMemory<byte> Prefix => _prefix;

    /// <summary>Bytes that <see cref="WriteTail"/> writes.</summary>
    public int TailLength { get; }

    internal bool MutualAuthentication { get; }

    internal KerberosKey SessionKey => _ticket.Issued.SessionKey;

    internal ServiceTicket Ticket => _ticket;

    /// <summary>Writes a new authenticator; with the prefix before it, it is a token to be sent once. Takes no lock and allocates nothing,
    /// and waits only for a user who sends more than 967,232 requests a second for longer than two.</summary>
    /// <param name="destination">At least <see cref="TailLength"/> bytes.</param>
    /// <returns>What the AP-REP must echo.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    public ApRequestState WriteTail(Span<byte> destination)
    {
        if (destination.Length < TailLength)
            throw new ArgumentException($"The tail takes {TailLength} bytes.", nameof(destination));
        var stamp = _stamps.Next(_sequence, _clock.Offset);
        _ticket.ThrowIfUnusable(isOver: stamp.UnixSeconds >= _endSeconds);
        var message = destination[..TailLength];
        try
        {
            // In place: what is written here leaves this method encrypted or not at all.
            _authenticator.Write(message, stamp);
            _cipher.Seal(message);
        }
        catch (ObjectDisposedException error)
        {
            CryptographicOperations.ZeroMemory(message);
            throw ServiceTicket.Disposed(error);
        }
        return new ApRequestState(stamp);
    }
}
