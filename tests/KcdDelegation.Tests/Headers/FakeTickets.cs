using System.Text;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;

namespace KcdDelegation.Tests.Headers;

/// <summary>Tickets without a KDC, which the engine's own templates accept. The part that would be encrypted
/// for the service is the user's name, so that a backend can read it.</summary>
internal static class FakeTickets
{
    /// <summary>The session key of all tickets. These tests do not depend on keys.</summary>
    public static readonly KerberosKey SessionKey = KerberosKey.CreateRandom(EncryptionType.Aes256CtsHmacSha1);

    public static readonly ServicePrincipalName Service = ServicePrincipalName.Parse("HTTP/app.contoso.com");

    public static ServiceTicket For(string user, int size = 0, TimeSpan? life = null, uint keyVersion = 1)
    {
        var now = TimeProvider.System.GetUtcNow();
        var name = Encoding.UTF8.GetBytes(user);
        var issued = new IssuedTicket
        {
            Client = new PrincipalName((int)PrincipalNameType.Principal, [user]),
            ClientRealm = "CONTOSO.COM",
            Ticket = Ticket.Create(
                "CONTOSO.COM", PrincipalName.From(Service),
                new EncryptedData(EncryptionType.Aes256CtsHmacSha1, keyVersion, (byte[])[.. name, .. new byte[size]])),
            SessionKey = SessionKey,
            Flags = TicketFlags.Forwardable,
            AuthTime = now,
            StartTime = now,
            EndTime = now + (life ?? TimeSpan.FromHours(1)),
        };
        return new ServiceTicket(issued, Service, securityIdentifier: null, new KdcClock(TimeProvider.System));
    }
}

/// <summary>An Authorization value as a service decrypts it.</summary>
internal sealed record OpenedAuthorization(
    string User, Authenticator Authenticator, bool AsksForMutualAuthentication, NegotiateTokenKind Kind)
{
    /// <summary>The version of the service's key that encrypts the ticket.</summary>
    public uint? KeyVersion { get; init; }

    public ReadOnlyMemory<byte> BindingHash => Authenticator.Checksum!.Value.Slice(4, 16);

    public static OpenedAuthorization Open(string value)
    {
        value.ShouldStartWith("Negotiate ");
        NegotiateToken.TryParse(value, out var token).ShouldBeTrue();
        var (type, message) = GssKerberosToken.Unwrap(token!.MechanismToken);
        type.ShouldBe(GssKerberosToken.ApRequestToken);
        var request = ApRequest.Decode(message);
        return new OpenedAuthorization(
            Encoding.UTF8.GetString(request.Ticket.EncryptedPart.Cipher.Span).TrimEnd('\0'),
            Authenticator.Decode(request.Authenticator.Decrypt(FakeTickets.SessionKey, KeyUsage.ApRequestAuthenticator)),
            (request.Options & ApRequest.MutualRequired) != 0,
            token.Kind)
        {
            KeyVersion = request.Ticket.EncryptedPart.KeyVersion,
        };
    }

    /// <summary>Creates the AP-REP of a service that has the key, in the GSS frame.</summary>
    public byte[] Reply() => GssKerberosToken.Wrap(GssKerberosToken.ApReplyToken, new ApReply(EncryptedData.Encrypt(
        FakeTickets.SessionKey, KeyUsage.ApReply, new EncApReplyPart(Authenticator.Time, Authenticator.Microseconds).Encode())).Encode());
}
