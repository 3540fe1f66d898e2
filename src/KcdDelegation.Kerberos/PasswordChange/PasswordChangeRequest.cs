using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Errors;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using KcdDelegation.Kerberos.Transport;

namespace KcdDelegation.Kerberos.PasswordChange;

/// <summary>One request to change the password of a ticket's client (RFC 3244 §2, version 1) and the validation of its reply.</summary>
/// <remarks>A reply counts only if its AP-REP answers this request and its KRB-PRIV decrypts and has the sequence number of the AP-REP. A
/// KRB-ERROR is never an answer: it is not authenticated.</remarks>
internal sealed class PasswordChangeRequest : KdcRequest<PasswordResult>, IDisposable
{
    private readonly KerberosKey _sessionKey;
    private readonly KerberosKey _subkey;
    private readonly DateTimeOffset _time;
    private readonly int _microseconds;

    /// <param name="ticket">An initial ticket for <c>kadmin/changepw</c>.</param>
    /// <param name="clock">The KDC's time.</param>
    /// <param name="localAddress">The address from which the request is sent.</param>
    /// <param name="newPassword">The new password in UTF-8.</param>
    public PasswordChangeRequest(IssuedTicket ticket, KdcClock clock, IPAddress localAddress, PinnedSecret newPassword)
    {
        _sessionKey = ticket.SessionKey;
        _subkey = KerberosKey.CreateRandom(ticket.SessionKey.Type);
        (_time, _microseconds) = clock.UniqueNow(clock.Offset).Split();
        var number = Nonce.Create();
        Message = new PasswordMessage(
            CreateApRequest(ticket, number).Encode(), EncryptPassword(localAddress, number, newPassword).Encode()).Encode();
    }

    public override ReadOnlyMemory<byte> Message { get; }

    /// <exception cref="KerberosException">The reply is a KRB-ERROR or not a valid answer to this request
    /// (<see cref="KerberosFailureReason.ReplyRejected"/>). It says nothing about the password.</exception>
    public override PasswordResult Check(ReadOnlyMemory<byte> reply)
    {
        if (KrbError.Is(reply))
            throw NotAuthenticated(reply);
        var message = PasswordMessage.Decode(reply);
        if (message.Authentication.IsEmpty)
            throw NotAuthenticated(message.Content);
        var proof = OpenProof(message.Authentication);
        var part = Open(message.Content);
        // RFC 4120 §5.7.1: with sequence numbers, a message of another exchange or direction is not accepted.
        if (proof.SequenceNumber is null || part.SequenceNumber != proof.SequenceNumber)
            throw KerberosException.Rejected("the sequence number of the password server's reply is not the one of its AP-REP");
        return PasswordResult.Decode(part.UserData);
    }

    public void Dispose() => _subkey.Dispose();

    private ApRequest CreateApRequest(IssuedTicket ticket, uint number)
    {
        var authenticator = new Authenticator
        {
            ClientRealm = ticket.ClientRealm, Client = ticket.Client, Microseconds = _microseconds, Time = _time, Subkey = _subkey,
            SequenceNumber = number,
        }.Encode();
        try
        {
            return new ApRequest(0, ticket.Ticket, EncryptedData.Encrypt(_sessionKey, KeyUsage.ApRequestAuthenticator, authenticator));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(authenticator);
        }
    }

    /// <summary>Creates the KRB-PRIV with the password. RFC 3244 §2: it is encrypted with the subkey of the authenticator.</summary>
    /// <remarks>The part is encoded with zeros. The password is written over them in pinned memory, which is encrypted in place, so there
    /// is no other copy of it.</remarks>
    private KrbPrivate EncryptPassword(IPAddress localAddress, uint number, PinnedSecret newPassword)
    {
        var encoded = new EncKrbPrivatePart
        {
            UserData = new byte[newPassword.Length], SequenceNumber = number, Sender = HostAddress.From(localAddress),
        }.Encode();
        var cipher = GC.AllocateArray<byte>(encoded.Length + _subkey.Profile.Overhead, pinned: true);
        RandomNumberGenerator.Fill(cipher.AsSpan(0, EncryptionProfile.ConfounderLength));
        var text = cipher.AsSpan(EncryptionProfile.ConfounderLength, encoded.Length);
        encoded.CopyTo(text);
        newPassword.Span.CopyTo(text[FindUserData(encoded)..]);
        try
        {
            newPassword.ThrowIfZeroed();
            _subkey.Profile.Seal(_subkey, KeyUsage.KrbPrivate, cipher);
        }
        catch
        {
            CryptographicOperations.ZeroMemory(cipher);
            throw;
        }
        return new KrbPrivate(new EncryptedData(_subkey.Type, KeyVersion: null, cipher));
    }

    /// <summary>Returns the offset of the content of [0] user-data.</summary>
    private static int FindUserData(byte[] encoded)
    {
        var fields = new AsnReader(encoded, AsnEncodingRules.DER).ReadSequence(new Asn1Tag(TagClass.Application, EncKrbPrivatePart.Tag))
            .ReadSequence();
        encoded.AsSpan().Overlaps(fields.ReadField(0).PeekContentBytes().Span, out var offset);
        return offset;
    }

    private EncApReplyPart OpenProof(ReadOnlyMemory<byte> reply)
    {
        var plaintext = ApReply.Decode(reply).EncryptedPart.Decrypt(_sessionKey, KeyUsage.ApReply);
        EncApReplyPart part;
        try
        {
            part = EncApReplyPart.DecodeWithKey(plaintext);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
        // RFC 3244 §2 encrypts with the subkey of the authenticator, also where the server sends its own.
        part.Subkey?.Dispose();
        // RFC 4120 §3.2.5: "the client verifies that the timestamp matches that in the authenticator it sent".
        return part.Time == _time && part.Microseconds == _microseconds
            ? part
            : throw KerberosException.Rejected("the password server's AP-REP answers another request");
    }

    private EncKrbPrivatePart Open(ReadOnlyMemory<byte> content) =>
        EncKrbPrivatePart.Decode(KrbPrivate.Decode(content).EncryptedPart.Decrypt(_subkey, KeyUsage.KrbPrivate));

    /// <summary>Creates the failure for a KRB-ERROR. Its code is a hint only, so it is not the code of the exception.</summary>
    private static KerberosException NotAuthenticated(ReadOnlyMemory<byte> content)
    {
        var error = KrbError.Decode(content);
        return KerberosException.Rejected(
            $"the password server answered with an error that is not authenticated: {KerberosErrorNames.Get(error.Code)} "
            + $"{error.Text ?? ""}");
    }
}
