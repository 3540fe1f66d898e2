using System.Net;
using System.Text;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing.Kdc;

/// <summary>RFC 3244: changes the password of the ticket's client. Thread-safe.</summary>
internal sealed class PasswordService(RealmState realm)
{
    /// <summary>RFC 4120 §5.3 initial(9).</summary>
    private const uint Initial = 0x00400000;

    private const uint SequenceNumber = 0x2000_0001;

    /// <summary>The result of the next changes instead of success. The password is not changed.</summary>
    public PasswordResult? Refusal { get; set; }

    /// <summary>Whether changes are confirmed but not carried out, as at a KDC that does not have the change of another one yet.</summary>
    public bool IsBehind { get; set; }

    /// <summary>The number of requests that were answered with a result.</summary>
    public int Results { get; private set; }

    /// <summary>Whether the old keys still open tickets after a change. MIT's kadmind drops them.</summary>
    public bool KeepOldKeys { get; set; } = true;

    /// <summary>Changes the delivery of an answer. Null: no answer, and a TCP connection is closed.</summary>
    public Func<KdcDelivery, KdcDelivery?>? Deliver { get; set; }

    /// <summary>Changes the answer before it is encoded.</summary>
    public Func<PasswordAnswer, PasswordAnswer>? Alter { get; set; }

    public KdcDelivery? Answer(ReadOnlyMemory<byte> request, KdcTransport transport)
    {
        byte[] answer;
        try
        {
            answer = Change(PasswordMessage.Decode(request));
        }
        catch (KdcRefusalException refusal)
        {
            answer = new PasswordMessage(default, Encode(refusal)).Encode();
        }
        catch (KerberosException)
        {
            return null;
        }
        var delivery = new KdcDelivery(answer);
        return Deliver is { } deliver ? deliver(delivery) : delivery;
    }

    private byte[] Change(PasswordMessage message)
    {
        var request = ApRequest.Decode(message.Authentication);
        var ticket = OpenedTicket.Open(request.Ticket, realm.PasswordServer, realm.Now);
        var authenticator = Authenticator.Decode(request.Authenticator.Decrypt(ticket.Part.Key, KeyUsage.ApRequestAuthenticator));
        if (!authenticator.Client.Equals(ticket.Client.Name) || authenticator.Subkey is not { } subkey)
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        var part = EncKrbPrivatePart.Decode(KrbPrivate.Decode(message.Content).EncryptedPart.Decrypt(subkey, KeyUsage.KrbPrivate));
        if (part.SequenceNumber != authenticator.SequenceNumber
            || !part.Sender.Address.Span.SequenceEqual(IPAddress.Loopback.GetAddressBytes()))
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        var answer = new PasswordAnswer(ticket.Part.Key, subkey)
        {
            Proof = new EncApReplyPart(authenticator.Time, authenticator.Microseconds) { SequenceNumber = SequenceNumber },
            Part = new EncKrbPrivatePart
            {
                UserData = Decide(ticket, part.UserData).Encode(), SequenceNumber = SequenceNumber,
                Sender = HostAddress.From(IPAddress.Loopback),
            },
        };
        return (Alter is { } alter ? alter(answer) : answer).Encode();
    }

    private PasswordResult Decide(OpenedTicket ticket, ReadOnlyMemory<byte> password)
    {
        if ((ticket.Part.Flags & Initial) == 0)
            return new PasswordResult(PasswordResultCode.InitialTicketRequired, "the ticket is not initial");
        Results++;
        if (Refusal is { } refusal)
            return refusal;
        if (!IsBehind)
            realm.Accounts.Find(ticket.Client.Name)!.Keys.Replace(Encoding.UTF8.GetString(password.Span), KeepOldKeys);
        return new PasswordResult(PasswordResultCode.Success, "Password changed.");
    }

    private byte[] Encode(KdcRefusalException refusal) => new KrbError
    {
        ServerTime = realm.Now, Code = refusal.Code, Text = refusal.Text, Realm = realm.Name, Service = RealmState.PasswordServerName,
    }.Encode();
}

/// <summary>An answer of the password server before it is encrypted.</summary>
internal sealed record PasswordAnswer(KerberosKey SessionKey, KerberosKey Subkey)
{
    public required EncApReplyPart Proof { get; init; }
    public required EncKrbPrivatePart Part { get; init; }

    public byte[] Encode() => new PasswordMessage(
        new ApReply(EncryptedData.Encrypt(SessionKey, KeyUsage.ApReply, Proof.Encode())).Encode(),
        new KrbPrivate(EncryptedData.Encrypt(Subkey, KeyUsage.KrbPrivate, Part.Encode())).Encode()).Encode();
}
