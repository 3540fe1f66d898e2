using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tickets;
using Microsoft.Extensions.Logging.Abstractions;

namespace KcdDelegation.Kerberos.Tests.Exchanges;

/// <summary>Evidence that a test composes: its service's realm, its signed user, and a PAC with the short form of UPN_DNS_INFO, without a
/// SAM name and a SID (MS-PAC §2.10).</summary>
public sealed class EvidenceChecksTests : IDisposable
{
    private const string Realm = "CONTOSO.TEST";

    private static readonly EncryptionType Type = EncryptionType.Aes256CtsHmacSha1;

    private readonly ServiceAccount _account = ServiceAccount.FromPassword("gw", "secret");
    private readonly KerberosKey _sessionKey = KerberosKey.CreateRandom(Type);

    public void Dispose()
    {
        _account.Dispose();
        _sessionKey.Dispose();
    }

    [Theory]
    [InlineData("ada@contoso.local", "ada@contoso.local", true)]
    [InlineData("ada@contoso.local", "ADA@contoso.local", true)]
    [InlineData("ada@contoso.local", "eve@contoso.local", false)]
    [InlineData("ada@contoso.test", "ada.lovelace@contoso.local", true)] // the implicit name of the account ada
    public void The_UPN_of_the_PAC_is_the_requested_one_unless_the_suffix_is_the_realm(string requested, string inPac, bool isAccepted)
    {
        if (isAccepted)
        {
            Accept(requested, inPac).SecurityIdentifier.ShouldBeNull();
            return;
        }
        var error = Should.Throw<KerberosException>(() => Accept(requested, inPac));
        error.Reason.ShouldBe(KerberosFailureReason.IdentityMismatch);
        error.Detail.ShouldContain($"an account whose UPN is {inPac}");
    }

    [Fact]
    public void Evidence_of_another_realm_than_the_account_s_is_rejected() =>
        Should.Throw<KerberosException>(() => Accept("ada@contoso.test", "ada@contoso.test", serviceRealm: "EVIL.TEST"))
            .Reason.ShouldBe(KerberosFailureReason.ReplyRejected);

    [Theory]
    [InlineData("ada@contoso.test", true)]
    [InlineData("eve@contoso.test", false)]
    public void The_signed_user_of_evidence_is_the_one_of_the_reply(string signed, bool isAccepted)
    {
        if (isAccepted)
        {
            Accept("ada@contoso.test", "ada@contoso.test", signed: signed).SecurityIdentifier.ShouldBeNull();
            return;
        }
        Should.Throw<KerberosException>(() => Accept("ada@contoso.test", "ada@contoso.test", signed: signed)).Detail.ShouldContain(
            "but its signed padata name");
    }

    [Fact]
    public void The_signed_user_of_another_request_is_rejected() =>
        Should.Throw<KerberosException>(() => Accept("ada@contoso.test", "ada@contoso.test", signed: "ada@contoso.test", nonce: 2))
            .Detail.ShouldContain("has a nonce that differs from the request's");

    private UserEvidence Accept(string requested, string inPac, string serviceRealm = Realm, string? signed = null, uint nonce = 1)
    {
        var user = new PrincipalName((int)PrincipalNameType.Enterprise, [requested]);
        var gateway = new PrincipalName((int)PrincipalNameType.Principal, ["gw"]);
        var now = DateTimeOffset.UnixEpoch.AddDays(1);
        // The derived key also opens tickets to the account.
        var key = _account.Keys.GetLogOnKey(Realm, Type, "salt", 4096);
        var ticketPart = new EncTicketPart
        {
            Flags = 0, Key = _sessionKey, ClientRealm = Realm, Client = user, AuthTime = now, EndTime = now.AddHours(1),
            AuthorizationData = [IfRelevant(Pac(inPac))],
        };
        var ticket = Ticket.Create(Realm, gateway, EncryptedData.Encrypt(key, KeyUsage.Ticket, ticketPart.Encode()));
        var part = new EncKdcReplyPart
        {
            Key = _sessionKey, Nonce = 1, Flags = 0, AuthTime = now, EndTime = now.AddHours(1), ServiceRealm = serviceRealm,
            Service = gateway,
        };
        var message = new KdcReplyMessage(
            KdcMessageType.TgsReply, signed is null ? [] : [Sign(signed, nonce)], Realm, user, ticket,
            EncryptedData.Encrypt(_sessionKey, KeyUsage.TgsReplySessionKey, [1]));
        var own = new IssuedTicket
        {
            Client = gateway, ClientRealm = Realm, Ticket = ticket with { Service = PrincipalName.TicketGranting(Realm) },
            SessionKey = _sessionKey, Flags = default, AuthTime = now, StartTime = now, EndTime = now.AddHours(1),
        };
        var context = new ExchangeContext
        {
            Realm = Realm, Account = _account, EncryptionTypes = [Type], MaxClockCorrection = default,
            Clock = null!, Dispatcher = null!, Limits = null!, Logger = NullLogger.Instance,
        };
        var reply = new TgsReply(message, part, new TgsRequestKeys(_sessionKey, _sessionKey, 1));
        return EvidenceChecks.Accept(context, reply, own, new S4UUser(user, Realm, null));
    }

    private PaData Sign(string user, uint nonce)
    {
        var name = new PrincipalName((int)PrincipalNameType.Enterprise, [user]);
        var userId = S4UUserId.Create(nonce, name, Realm, S4UUserId.UseReplyKeyUsage);
        return PaS4UX509User.Create(userId, _sessionKey, KeyUsage.PaS4UX509UserReply).ToPaData();
    }

    private static byte[] Pac(string userPrincipalName)
    {
        const int Offset = 8 + 16;
        var name = Encoding.Unicode.GetBytes(userPrincipalName);
        var pac = new byte[Offset + 12 + name.Length];
        BinaryPrimitives.WriteInt32LittleEndian(pac, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(pac.AsSpan(8), PacBuffers.UpnDnsInfo);
        BinaryPrimitives.WriteInt32LittleEndian(pac.AsSpan(12), 12 + name.Length);
        BinaryPrimitives.WriteInt32LittleEndian(pac.AsSpan(16), Offset);
        BinaryPrimitives.WriteUInt16LittleEndian(pac.AsSpan(Offset), (ushort)name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(pac.AsSpan(Offset + 2), 12);
        name.CopyTo(pac, Offset + 12);
        return pac;
    }

    private static AuthorizationDataEntry IfRelevant(byte[] pac) => new(
        AuthorizationDataEntry.IfRelevant, MessageFormat.Encode(writer =>
            AuthorizationDataEntry.WriteList(writer, [new AuthorizationDataEntry(AuthorizationDataEntry.Pac, pac)])));
}
