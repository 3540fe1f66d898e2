using System.Security.Cryptography;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Kerberos;

/// <summary>A template of GSS krb5 initial tokens (RFC 4121 §4.1). <see cref="Prefix"/> is constant; each request has a new tail of
/// constant length. Thread-safe.</summary>
public sealed class ApRequestTemplate
{
    // Copied from the ticket: on the request path a memory access to another object costs more than the computation.
    private readonly AuthenticatorTemplate _authenticator;
    private readonly AuthenticatorCipher _cipher;
    private readonly AuthenticatorTimestamps _timestamps;
    private readonly KdcClock _clock;
    private readonly long _endSeconds;
    private readonly int _sequence;
    private readonly ServiceTicket _ticket;
    private byte[]? _prefix;

    /// <exception cref="ObjectDisposedException">The ticket's client is disposed.</exception>
    internal ApRequestTemplate(ServiceTicket ticket, ApRequestOptions options)
    {
        _ticket = ticket;
        _authenticator = new AuthenticatorTemplate(ticket.Issued, options);
        _cipher = ticket.AuthenticatorCipher;
        _clock = ticket.Clock;
        _endSeconds = ticket.Issued.EndSeconds;
        _timestamps = AuthenticatorTimestamps.Get(ticket.Clock.TimeProvider);
        _sequence = AuthenticatorTimestamps.GetSequence(ticket.User.Name, ticket.Issued.ClientRealm);
        MutualAuthentication = options.MutualAuthentication;
        TailLength = EncryptionProfile.ConfounderLength + _authenticator.Length + ticket.Issued.SessionKey.Profile.ChecksumLength;
    }

    /// <summary>Gets the bytes before the tail: the GSS frame, the ticket, and the start of the encrypted authenticator.</summary>
    public ReadOnlyMemory<byte> Prefix => _prefix ??= CreatePrefix();

    /// <summary>Gets the number of bytes that <see cref="WriteTail"/> writes.</summary>
    public int TailLength { get; }

    internal bool MutualAuthentication { get; }

    internal KerberosKey SessionKey => _ticket.Issued.SessionKey;

    internal ServiceTicket Ticket => _ticket;

    /// <summary>Creates a copy of <see cref="Prefix"/> that the template does not keep. Use it if you keep the bytes only in another form,
    /// such as base64.</summary>
    public byte[] CreatePrefix()
    {
        // The cipher is the last field of the AP-REQ, so everything before it is constant once its length is known.
        var request = new ApRequest(
            MutualAuthentication ? ApRequest.MutualRequired : 0,
            _ticket.Issued.Ticket,
            new EncryptedData(SessionKey.Type, null, new byte[TailLength])).Encode();
        return GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request)[..^TailLength];
    }

    /// <summary>Writes a new authenticator. The prefix and the tail together are a token that may be sent once.</summary>
    /// <remarks>Takes no lock and allocates nothing. Waits only if one user sends more than 967,232 requests a second for more than two
    /// seconds.</remarks>
    /// <param name="destination">A buffer of at least <see cref="TailLength"/> bytes.</param>
    /// <returns>The state that verifies the AP-REP.</returns>
    /// <exception cref="ArgumentException">The destination is shorter than <see cref="TailLength"/>.</exception>
    /// <exception cref="InvalidOperationException">The ticket was purged or has expired.</exception>
    public ApRequestState WriteTail(Span<byte> destination)
    {
        if (destination.Length < TailLength)
            throw new ArgumentException($"The destination must have at least {TailLength} bytes.", nameof(destination));
        var timestamp = _timestamps.Next(_sequence, _clock.Offset);
        if (_ticket.IsRetired || timestamp.UnixSeconds >= _endSeconds)
            throw _ticket.Unusable();
        var message = destination[..TailLength];
        try
        {
            // Encrypts in place. On failure the plaintext is zeroed before the exception leaves this method.
            _authenticator.Write(message, timestamp);
            _cipher.Seal(message);
        }
        catch (ObjectDisposedException error)
        {
            CryptographicOperations.ZeroMemory(message);
            throw ServiceTicket.Disposed(error);
        }
        return new ApRequestState(timestamp);
    }
}
