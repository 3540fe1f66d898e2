using System.Buffers.Binary;
using System.Text;
using KcdDelegation.Kerberos.ApExchange;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Exchanges;
using KcdDelegation.Kerberos.Files;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Kerberos.Tests.Files;
using KcdDelegation.Kerberos.Tests.Messages;
using KcdDelegation.Kerberos.Tickets;
using KcdDelegation.Kerberos.Time;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KcdDelegation.Kerberos.Tests.Fuzz;

/// <summary>Tokens that a client presents to the account, whose encrypted parts may hold anything: the bytes are encrypted with the right
/// keys, so that the decoder behind the decryption sees them.</summary>
internal static class PresentedTokens
{
    public const string Account = "gw";

    private static readonly PrincipalName s_user = new(1, ["ada"]);

    public static ExchangeContext Context { get; } = CreateContext();

    public static KerberosKey AccountKey { get; } = KeytabSamples.Entry(Account, 3, EncryptionType.Aes256CtsHmacSha1, 7).Key!;

    public static EncTicketPart Ticket() => new()
    {
        Flags = (uint)TicketFlags.Forwardable, Key = Samples.Key, ClientRealm = "CONTOSO.COM", Client = s_user,
            AuthTime = KeytabSamples.Written,
        StartTime = KeytabSamples.Written, EndTime = KeytabSamples.Written.AddYears(100), RenewTill = KeytabSamples.Written.AddYears(100),
    };

    public static Authenticator Authenticator() => new()
    {
        ClientRealm = "CONTOSO.COM", Client = s_user,
            Checksum = new ChecksumField(ChecksumType.Gss, GssChecksum.Create(GssChecksum.Mutual, [])),
        Time = Context.Clock.Now, Microseconds = 1, Subkey = Samples.Key, SequenceNumber = 7,
    };

    public static byte[] Token() => Token(Ticket().Encode(), Authenticator().Encode());

    /// <summary>The authenticator names the client that the ticket names, as that of its holder does.</summary>
    public static string AcceptTicket(byte[] ticket)
    {
        var authenticator = Authenticator();
        try
        {
            var opened = EncTicketPart.Decode(ticket);
            authenticator = authenticator with { Client = opened.Client, ClientRealm = opened.ClientRealm };
        }
        catch (KerberosException)
        {
            // The ticket is refused before the authenticator is read.
        }
        return Accept(Token(ticket, authenticator.Encode()));
    }

    public static string AcceptAuthenticator(byte[] authenticator) => Accept(Token(Ticket().Encode(), authenticator));

    public static string Accept(byte[] token) => new TokenAcceptor(Context).Accept(token).Principal.ToString();

    private static byte[] Token(byte[] ticket, byte[] authenticator)
    {
        var sealedTicket = KcdDelegation.Kerberos.Messages.Ticket.Create(
            "CONTOSO.COM", new PrincipalName(1, [Account]), EncryptedData.Encrypt(AccountKey, KeyUsage.Ticket, ticket, keyVersion: 3));
        var request = new ApRequest(
            ApRequest.MutualRequired, sealedTicket, EncryptedData.Encrypt(Samples.Key, KeyUsage.ApRequestAuthenticator, authenticator));
        return GssKerberosToken.Wrap(GssKerberosToken.ApRequestToken, request.Encode());
    }

    private static ExchangeContext CreateContext()
    {
        var keytab = Path.Combine(Directory.CreateTempSubdirectory("kcd-fuzz-").FullName, "gw.keytab");
        File.WriteAllBytes(keytab, KeytabSamples.Bytes(KeytabSamples.Entry(Account, 3, EncryptionType.Aes256CtsHmacSha1, 7)));
        return new ExchangeContext
        {
            Realm = "CONTOSO.COM", Account = ServiceAccount.FromKeytab(Account, keytab),
                EncryptionTypes = [EncryptionType.Aes256CtsHmacSha1],
            MaxClockCorrection = TimeSpan.Zero, Clock = new KdcClock(new FakeTimeProvider(KeytabSamples.Written.AddHours(1))),
                Dispatcher = null!, Limits = null!,
                Logger = NullLogger.Instance,
        };
    }
}

/// <summary>S4U2Self replies whose ticket has any authorization data.</summary>
internal static class Pacs
{
    /// <summary>AD-IF-RELEVANT with a PAC of one buffer, UPN_DNS_INFO (MS-PAC §2.10), in its short form if there is no SAM name.</summary>
    public static byte[] Create(string upn, string? samName, uint rid)
    {
        byte[] sid = [1, 5, 0, 0, 0, 0, 0, 5, .. Little(21), .. Little(1), .. Little(2), .. Little(3), .. Little(rid)];
        var head = samName is null ? 16 : 24;
        byte[] text = [.. Encoding.Unicode.GetBytes(upn), .. Encoding.Unicode.GetBytes(samName ?? ""), .. samName is null ? [] : sid];
        var (upnLength, samLength) = (upn.Length * 2, (samName ?? "").Length * 2);
        byte[] buffer =
        [
            .. Pair(upnLength, head), .. Pair(0, head), .. Little(samName is null ? 0u : 2u),
            .. samName is null ? Little(0)
                : [.. Pair(samLength, head + upnLength), .. Pair(sid.Length, head + upnLength + samLength), .. Little(0)], .. text,
        ];
        byte[] pac = [.. Little(1), .. Little(0), .. Little(12), .. Little((uint)buffer.Length), .. Little(24), .. Little(0), .. buffer];
        return pac;
    }

    /// <summary>Checks a reply whose ticket has this PAC. The message of a refusal names the account that the PAC names.</summary>
    public static string AcceptEvidence(byte[] pac)
    {
        byte[] relevant =
            MessageFormat.Encode(
            writer => AuthorizationDataEntry.WriteList(writer, [new AuthorizationDataEntry(AuthorizationDataEntry.Pac, pac)]));
        var user = new PrincipalName((int)PrincipalNameType.Enterprise, ["ada@contoso.test"]);
        var service = new PrincipalName(1, [PresentedTokens.Account]);
        var opened = PresentedTokens.Ticket() with { Client = user,
            AuthorizationData = [new AuthorizationDataEntry(AuthorizationDataEntry.IfRelevant, relevant)] };
        var ticket = Ticket.Create(
            "CONTOSO.COM", service, EncryptedData.Encrypt(PresentedTokens.AccountKey, KeyUsage.Ticket, opened.Encode(), keyVersion: 3));
        var message = new KdcReplyMessage(KdcMessageType.TgsReply, [], "CONTOSO.COM", user, ticket, Samples.Encrypted);
        var part = new EncKdcReplyPart
        {
            Key = Samples.Key, Nonce = 1, Flags = opened.Flags, AuthTime = opened.AuthTime, StartTime = opened.StartTime,
                EndTime = opened.EndTime,
            RenewTill = opened.RenewTill, ServiceRealm = "CONTOSO.COM", Service = service, EncryptedPaData = [],
        };
        var reply = new TgsReply(message, part, new TgsRequestKeys(Samples.Key, Samples.Key, 1));
        var own = new IssuedTicket
        {
            Client = service, ClientRealm = "CONTOSO.COM",
                Ticket = Ticket.Create("CONTOSO.COM", PrincipalName.TicketGranting("CONTOSO.COM"), Samples.Encrypted),
            SessionKey = Samples.Key, Flags = TicketFlags.Forwardable, AuthTime = opened.AuthTime, StartTime = opened.AuthTime,
                EndTime = opened.EndTime,
        };
        // ServiceRealm of the account's own ticket is the realm of its krbtgt.
        var evidence = EvidenceChecks.Accept(PresentedTokens.Context, reply, own, new S4UUser(user, "CONTOSO.COM", null));
        return $"{evidence.SecurityIdentifier}";
    }

    private static byte[] Pair(int length, int offset) => [(byte)length, (byte)(length >> 8), (byte)offset, (byte)(offset >> 8)];

    private static byte[] Little(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        return bytes;
    }
}
